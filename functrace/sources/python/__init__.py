"""Python as a language of inject and strip."""
