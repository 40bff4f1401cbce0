"""Python support of ``inject`` and ``strip``."""
