"""A message from its bytes: character set, delimiters, segments and the header.

hl7apy reads the segments whose fields have components; what is text is cut here, because hl7apy changes its escape
sequences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hl7apy import SUPPORTED_LIBRARIES
from hl7apy.core import Segment
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_segment

from api.interop.hl7v2.errors import Location, Refused
from api.interop.hl7v2.escapes import Delimiters, unescape
from api.interop.hl7v2.tables import codec_of

TOLERANT = 2
"""hl7apy's validation level that takes fields and values beyond those of the standard."""
NEWEST = "2.8.2"
_SEGMENT_END = re.compile(r"\r\n|\r|\n(?=[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s])")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_VERSION = re.compile(r"2\.\d(?:\.\d)?")
_WIDE = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says. ``asks`` are MSH-15 and MSH-16, the conditions of enhanced acknowledgement."""

    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    kind: str = ""
    event: str = ""
    control_id: str = ""
    processing_id: str = ""
    version: str = ""
    time: str = ""
    asks: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Message:
    """The segments of a message as text, in their order, and how to read them."""

    header: Header
    segments: tuple[str, ...]
    delimiters: Delimiters
    codec: str

    def named(self, name: str) -> list[str]:
        """The segments of this name."""
        return [s for s in self.segments if s[:3] == name]

    def parsed(self, name: str) -> Segment | None:
        """The first segment of this name, as hl7apy reads it."""
        found = self.named(name)
        return None if not found else _parsed(found[0], self.delimiters, self.header.version)

    def text(self, raw: str) -> str:
        """The text that a field, or a component of it, stands for."""
        return unescape(raw, self.delimiters, self.codec)

    def value(self, segment: Segment | None, field: int, component: int = 1) -> str:
        """A component of a field's first repetition, as text; empty when it is not given."""
        if segment is None:
            return ""
        fields = [f for f in segment.children if f.name == f"{segment.name}_{field}"]
        if not fields:
            return ""
        parts = self.raw(fields[0].to_er7(encoding_chars(self.delimiters))).split(self.delimiters.component)
        return self.text(parts[component - 1].strip()) if component <= len(parts) else ""

    @staticmethod
    def raw(field: str) -> str:
        """A field without the two quotes that say that a value is deleted."""
        return "" if field == '""' else field


def read_message(data: bytes) -> Message:
    """The message of these bytes. Raises :class:`Refused` for what is no message, or not one of the standard."""
    text, codec = _decoded(data.strip(b"\r\n "))
    delimiters = _delimiters(text)
    segments = tuple(s for s in _SEGMENT_END.split(text) if s.strip())
    header = _header(segments[0].split(delimiters.field), delimiters)
    for place, segment in enumerate(segments, 1):
        if not _NAME.fullmatch(segment[:3]) or segment[3:4] not in ("", delimiters.field):
            raise Refused("100", f"line {place} does not begin with the name of a segment")
    return Message(header, segments, delimiters, codec)


def header_of(data: bytes) -> Header:
    """What can be told of the header of a message that is damaged, for its acknowledgement. Raises nothing."""
    begin = data.find(b"MSH")
    line = re.split(rb"[\r\n]", data[begin:], maxsplit=1)[0].decode("latin-1") if begin >= 0 else ""
    try:
        delimiters = _delimiters(line)
    except Refused:
        return Header()
    return _header(line.split(delimiters.field), delimiters)


def encoding_chars(delimiters: Delimiters) -> dict[str, str]:
    """The delimiters as hl7apy takes them."""
    return {
        "FIELD": delimiters.field,
        "COMPONENT": delimiters.component,
        "REPETITION": delimiters.repetition,
        "ESCAPE": delimiters.escape,
        "SUBCOMPONENT": delimiters.subcomponent,
        "SEGMENT": "\r",
        "GROUP": "\r",
    }


def supported(version: str) -> str:
    """The version of hl7apy that reads this one: a later one is read as the newest that it knows."""
    return version if version in SUPPORTED_LIBRARIES else NEWEST


def _decoded(data: bytes) -> tuple[str, str]:
    """The text, and the codec that MSH-18 asks for; without it UTF-8, and where that can't be, ISO 8859-1."""
    wide = next((codec for mark, codec in _WIDE if data.startswith(mark)), None)
    if wide is None:
        first = re.split(rb"[\r\n]", data, maxsplit=1)[0].decode("latin-1")
        if not first.removeprefix("\xef\xbb\xbf").startswith("MSH"):
            raise Refused("100", "the message does not begin with MSH", Location("MSH"))
        first = first.removeprefix("\xef\xbb\xbf")
        fields = first.split(first[3:4]) if len(first) > 3 else []
        named = fields[17].split(fields[1][1:2] or "~")[0] if len(fields) > 17 else ""
        codec = codec_of(named) if named else "utf-8"
        if codec is None:
            raise Refused("103", "the character set of MSH-18 is not known here", Location("MSH", 1, 18))
    else:
        named, codec = "UNICODE", wide
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode(codec), codec
    except UnicodeDecodeError as error:
        if not named:
            return data.decode("iso8859-1"), "iso8859-1"
        raise Refused("102", f"byte {error.start:,} is not of the character set of MSH-18") from None


def _delimiters(text: str) -> Delimiters:
    marks = text[4:8] + text[8:9].replace(text[3:4], "")
    if not text.startswith("MSH") or len(marks) < 4 or len({text[3], *marks}) < 5 or any(c.isalnum() for c in marks):
        raise Refused("100", "MSH-1 and MSH-2 do not name the delimiters", Location("MSH", 1, 2))
    return Delimiters(text[3], *marks[:4])


def _header(fields: list[str], delimiters: Delimiters) -> Header:
    def value(number: int, component: int = 1) -> str:
        """A component of MSH: its first field is the separator itself."""
        field = fields[number - 1] if number <= len(fields) else ""
        parts = field.split(delimiters.repetition)[0].split(delimiters.component)
        return parts[component - 1].strip()[:200] if component <= len(parts) else ""

    return Header(
        (value(3), value(4)),
        (value(5), value(6)),
        value(9).upper(),
        value(9, 2).upper(),
        value(10),
        value(11).upper(),
        value(12),
        value(7),
        (value(15).upper(), value(16).upper()),
    )


def check_header(header: Header, processing_ids: frozenset[str], events: frozenset[str]) -> None:
    """Raise :class:`Refused` unless the message is one that is done here."""
    if not header.control_id:
        raise Refused("101", "MSH-10, the control id, is missing", Location("MSH", 1, 10))
    if not header.kind:
        raise Refused("101", "MSH-9, the type, is missing", Location("MSH", 1, 9))
    if header.kind != "MDM":
        raise Refused("200", "only MDM messages are taken", Location("MSH", 1, 9, 1))
    if header.event not in events:
        raise Refused("201", f"of MDM only {', '.join(sorted(events))} are taken", Location("MSH", 1, 9, 2))
    if header.processing_id not in processing_ids:
        allowed = ", ".join(sorted(processing_ids))
        raise Refused("202", f"MSH-11 has to be {allowed}", Location("MSH", 1, 11))
    if not _VERSION.fullmatch(header.version):
        raise Refused("203", "MSH-12 has to be a version such as 2.5.1", Location("MSH", 1, 12))


def _parsed(segment: str, delimiters: Delimiters, version: str) -> Segment:
    try:
        return parse_segment(segment, supported(version), encoding_chars(delimiters), TOLERANT)
    except HL7apyException:
        raise Refused("102", f"the segment {segment[:3]} can't be read", Location(segment[:3])) from None
