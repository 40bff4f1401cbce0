"""Constants and structures of the trace format in docs/trace-format.md."""

from __future__ import annotations

import struct

MAGIC = b"FTRACE\r\n"
VERSION = 2
VERSIONS = (1, 2)  # that are read
HEADER_BYTES = 4096

# magic, version, header size, process id, language, ticks per second,
# ticks and nanoseconds at the start, flags, lost events
HEADER = struct.Struct("<8sIIIIQQQQQ")
CALIBRATION = struct.Struct("<QQQQ")  # sequence number, ticks, nanoseconds, sequence number
CALIBRATIONS_AT = (64, 96)
CALIBRATION_MIN_NS = 10_000_000
LANGUAGES = {1: "go", 2: "python"}

ENDED_CLEANLY = 1
FULL = 2
OVERWRITTEN = 4
WRITE_FAILED = 8
END_KNOWN = 16

FLAGS_AT = 48
ENDING_AT = 128
OVERWRITTEN_AT = 136
LAST_OVERWRITTEN_AT = 144
STOPPED_AT = 152
ENDING = struct.Struct("<II")  # kind of ending, and exit status or signal
EXITED = 1
KILLED = 2

CHUNK = struct.Struct("<4sIIIQQQ")  # magic, kind, size, open calls, sequence number, track, base
CHUNK_MAGIC = b"CHNK"
CHUNK_STEP = 512
CHUNK_LIMIT = 16 << 20
FACTS = 1
EVENTS = 2

WORD = struct.Struct("<Q")
ENTRY = 1
EXIT = 2
RECORD = 3
FUNCTION_LIMIT = 1 << 20

BASE = 1
TRACK = 2
ERROR = 3
PANIC = 4
OPEN = 5
LOST = 6
SUSPENDED = 7
RESUMED = 8
INHERITED = 9
SWITCH = 10
REQUEST = 11
STATUS = 12
FUNCTION = 16
PROCESS = 17
DEMOTION = 18
REQUEST_NAME = 19

DEMOTED = 1  # flags of a demotion record; without the first the function was promoted
WITHOUT_FAILURES = 2

CUT = 1  # flags of an error or panic record
GOEXIT = 2

OPEN_INHERITED = 1  # flag of an open-call record

INBOUND = 1  # directions of a request
OUTBOUND = 2

HTTP = 1  # protocols of a request
GRPC = 2

DIRECTION_MASK = 0x3  # parts of the value of a request record
PROTOCOL_AT = 2
PROTOCOL_MASK = 0xF
HAS_IDS = 1 << 8  # flags of a request record
SAMPLED = 1 << 9
HAS_CALLER = 1 << 10
OWN_IDS = 1 << 11

CODE_MASK = 0xFFFF  # parts of the value of a status record
GRPC_CODE = 1 << 16
ROUTE_AT = 20

KIND_MASK = 0xFF  # parts of the value of a track record
TRACK_AGAIN = 1 << 8
RUN_BITS = 24  # of the value of a switch record; the number of open calls follows
RUN_MASK = (1 << RUN_BITS) - 1
RUN_OPEN_LIMIT = 0xFFFF

TRACK_PAYLOAD = struct.Struct("<QQQII")  # id, parent, ticks, starter, line; the name follows
OPEN_PAYLOAD = struct.Struct("<QQ")  # ticks, function
DEMOTION_PAYLOAD = struct.Struct("<QII")  # ticks, function, calls a second
REQUEST_NAME_PAYLOAD = struct.Struct("<IBBH")  # function, direction, protocol
FUNCTION_PAYLOAD = struct.Struct("<IIQHH")  # number, line, address, sizes of name and file

TRACK_KINDS = ("unknown", "goroutine", "thread", "task")

# Demotion records that are read; recorders write at most 10,000.
DEMOTION_LIMIT = 100_000

# Largest line number: the largest int32.
LINE_LIMIT = (1 << 31) - 1

# Latest time after the start of the trace, so that a sum of two never overflows.
TIME_LIMIT = 1 << 60


def record_type(word: int) -> int:
    """Return the type of the record that a word begins."""
    return word >> 2 & 0x3F


def record_bytes(word: int) -> int:
    """Return the size of a record's payload in bytes."""
    return word >> 8 & 0xFFFF


def record_value(word: int) -> int:
    """Return the value of the record that a word begins."""
    return word >> 24


def record_size(word: int) -> int:
    """Return the size of a record in bytes, including its word and padding."""
    return 8 + (record_bytes(word) + 7 & ~7)


def ticks_since(ticks: int, start: int) -> int:
    """Return ticks after the start of the trace, clamped to the valid range."""
    return min(max((ticks & 0xFFFF_FFFF_FFFF_FFFF) - start, 0), TIME_LIMIT)
