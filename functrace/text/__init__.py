"""Results of analyses as plain text, for terminals and for files."""
