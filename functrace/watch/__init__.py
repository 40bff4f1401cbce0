"""Watcher of running programs: what it measures, what fires, and what it saves."""
