"""Rollups: mergeable chain tables of processes, window by window, and the store that keeps them.

docs/rollups.md defines them.
"""
