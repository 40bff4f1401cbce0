"""Rendering of results as text, tables and JSON."""
