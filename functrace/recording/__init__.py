"""Recording: output paths and execution of the traced program."""
