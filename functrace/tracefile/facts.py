"""Reader of facts chunks: function and process metadata of a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace.tracefile import format as fmt
from functrace.tracefile.demotions import Change
from functrace.tracefile.scan import Rows


class Function(NamedTuple):
    """Function, with its first number in the trace."""

    number: int
    name: str
    file: str
    line: int
    direction: int = 0
    """of a function that stands for requests: 1 inbound, 2 outbound; else 0"""
    protocol: int = 0
    """of these requests: 1 HTTP, 2 gRPC"""


@dataclass
class Facts:
    """Metadata from the facts chunks.

    `functions` contains each function once; `index_of` maps a function number to its index, or -1.
    """

    functions: list[Function] = field(default_factory=list)
    index_of: npt.NDArray[np.int32] = field(default_factory=lambda: np.full(1, -1, np.int32))
    process: dict[str, Any] = field(default_factory=dict)
    demotions: list[Change] = field(default_factory=list)
    invalid_functions: int = 0
    invalid_process: int = 0
    invalid_demotions: int = 0
    invalid_requests: int = 0
    invalid_words: int = 0
    truncated: int = 0

    def name_of(self, number: int) -> str | None:
        """Return the name of a function by its number; None if the trace does not define it."""
        index = int(self.index_of[number]) if number < len(self.index_of) else -1
        return self.functions[index].name if index >= 0 else None


def read_facts(data: memoryview, chunks: Rows) -> Facts:
    """Return the metadata in the facts chunks; the first definition of a number is valid."""
    reader = FactsReader()
    for chunk in chunks[chunks["kind"] == fmt.FACTS]:
        at = int(chunk["offset"])
        reader.read(data[at + fmt.CHUNK.size : at + int(chunk["size"])])
    return reader.facts()


class FactsReader:
    """Incremental reader of facts records, which expects chunks in order."""

    def __init__(self) -> None:
        self._facts = Facts()
        self.index_of: dict[int, int] = {}
        """function index by function number"""
        self._by_place: dict[tuple[str | int, ...], int] = {}

    def read(self, words: memoryview) -> int:
        """Read the records before the first zero word, and return their size in bytes."""
        read = 0
        for end, word, payload in self._records(words):
            read = end
            kind = fmt.record_type(word)
            if kind == fmt.FUNCTION:
                self._facts.invalid_functions += not self._function(payload)
            elif kind == fmt.PROCESS:
                self._facts.invalid_process += not self._process(payload)
            elif kind == fmt.REQUEST_NAME:
                self._facts.invalid_requests += not self._request_name(payload)
            elif kind == fmt.DEMOTION:
                flags = fmt.record_value(word)
                self._facts.invalid_demotions += not self._demotion(payload, flags)
        return read

    @property
    def functions(self) -> list[Function]:
        """Functions read so far."""
        return self._facts.functions

    @property
    def process(self) -> dict[str, Any]:
        """Process metadata; empty if none has been read."""
        return self._facts.process

    @property
    def demotions(self) -> list[Change]:
        """Demotions and promotions read so far."""
        return self._facts.demotions

    def name_of(self, number: int) -> str | None:
        """Return the name of a function by its number; None if it has not been defined."""
        index = self.index_of.get(number)
        return None if index is None else self.functions[index].name

    def facts(self) -> Facts:
        """Return all metadata read so far."""
        facts = self._facts
        facts.index_of = np.full(max(self.index_of, default=0) + 1, -1, np.int32)
        facts.index_of[list(self.index_of)] = list(self.index_of.values())
        return facts

    def _records(self, words: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        at = 0
        while at + fmt.WORD.size <= len(words):
            (word,) = fmt.WORD.unpack_from(words, at)
            if word == 0:
                return
            size = fmt.record_size(word) if word & 3 == fmt.RECORD else fmt.WORD.size
            if size > len(words) - at:
                self._facts.truncated += 1
                return
            if word & 3 == fmt.RECORD:
                payload = words[at + 8 : at + 8 + fmt.record_bytes(word)]
                yield at + size, word, payload
            else:
                self._facts.invalid_words += 1
            at += size

    def _function(self, payload: memoryview) -> bool:
        head = fmt.FUNCTION_PAYLOAD
        if len(payload) < head.size:
            return False
        number, line, _address, name_bytes, file_bytes = head.unpack_from(payload)
        name_end = head.size + name_bytes
        if not 0 < number < fmt.FUNCTION_LIMIT or name_end + file_bytes > len(payload):
            return False
        name = decode(payload[head.size : name_end])
        file = decode(payload[name_end : name_end + file_bytes])
        return self._add(Function(number, name, file, min(line, fmt.LINE_LIMIT)))

    def _add(self, function: Function) -> bool:
        functions = self._facts.functions
        index = self._by_place.setdefault(function[1:], len(functions))
        if self.index_of.setdefault(function.number, index) != index:
            if index == len(functions):
                del self._by_place[function[1:]]
            return False
        if index == len(functions):
            functions.append(function)
        return True

    def _request_name(self, payload: memoryview) -> bool:
        """Mark a function. It has no other number: its record is right before this one."""
        if len(payload) < fmt.REQUEST_NAME_PAYLOAD.size:
            return False
        number, direction, protocol, _ = fmt.REQUEST_NAME_PAYLOAD.unpack_from(payload)
        index = self.index_of.get(number, -1)
        if index < 0 or direction not in (fmt.INBOUND, fmt.OUTBOUND):
            return False
        function = self.functions[index]
        if function.number != number or function.direction:
            return bool(function.direction == direction)
        self._by_place.pop(function[1:], None)
        self.functions[index] = function._replace(direction=direction, protocol=protocol)
        return True

    def _demotion(self, payload: memoryview, flags: int) -> bool:
        changes = self._facts.demotions
        if len(payload) < fmt.DEMOTION_PAYLOAD.size or len(changes) == fmt.DEMOTION_LIMIT:
            return False
        changes.append(Change(flags, *fmt.DEMOTION_PAYLOAD.unpack_from(payload)))
        return True

    def _process(self, payload: memoryview) -> bool:
        try:
            process = _encodable(json.loads(decode(payload)))
        except (ValueError, RecursionError):
            return False
        if not isinstance(process, dict):
            return False
        self._facts.process = self._facts.process or process
        return True


def _encodable(value: Any) -> Any:
    """Return a JSON value with all strings valid as UTF-8: JSON allows lone surrogates."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    if isinstance(value, dict):
        return {encodable(key): _encodable(each) for key, each in value.items()}
    return value


def encodable(text: str) -> str:
    r"""Return ``text`` with escapes such as ``\udcff`` for characters that UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode()


def decode(text: memoryview) -> str:
    """Return a string of the trace, with replacement characters for invalid UTF-8."""
    return bytes(text).decode("utf-8", "replace")
