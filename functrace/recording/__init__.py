"""Runs a program so that it leaves a trace."""
