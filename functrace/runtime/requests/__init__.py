"""Requests of a traced program: inbound and outbound calls, and the headers that connect them.

Nothing here is loaded unless calls are recorded and FUNCTRACE_PROPAGATE is not off.
"""
