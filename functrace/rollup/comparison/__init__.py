"""Comparison of two selections of a store, with instances as the unit that varies by chance.

docs/releases.md has the rules.
"""
