"""Results of analyses as plain text and JSON, for terminals, files and the viewer."""
