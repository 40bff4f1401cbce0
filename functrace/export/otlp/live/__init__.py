"""Live export of calls as OpenTelemetry spans from a growing trace file; see docs/otlp.md#live.

This package runs in a separate process, the sender. The traced program only records.
"""
