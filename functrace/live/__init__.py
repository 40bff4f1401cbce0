"""Calls as OpenTelemetry spans while the program runs: follows its trace file, docs/otlp.md#live.

What runs here is a process of its own, the sender. The program only records.
"""
