"""Hooks of the libraries that requests enter and leave a program through, one module each."""
