"""The text of a document, from its OBX segments: TX, FT and ST with their escapes resolved, ED decoded."""

from __future__ import annotations

import base64
import binascii
import io

from bs4 import BeautifulSoup
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from striprtf.striprtf import rtf_to_text

from api.interop.hl7v2.errors import Location, Refused
from api.interop.hl7v2.message import Message

PLAIN = frozenset({"TX", "FT", "ST"})
IGNORED_STATUS = frozenset({"D", "X"})
"""OBX-11: an observation that is deleted, or that could not be obtained."""


def document_text(message: Message) -> str:
    """The lines of all OBX segments, each repetition a line of its own. Raises :class:`Refused` when there are none."""
    lines: list[str] = []
    for place, segment in enumerate(message.named("OBX"), 1):
        fields = segment.split(message.delimiters.field)
        kind = fields[2].strip().upper() if len(fields) > 2 else ""
        value = fields[5] if len(fields) > 5 else ""
        if len(fields) > 11 and fields[11].strip().upper() in IGNORED_STATUS:
            continue
        if kind in PLAIN:
            lines += [message.text(part) for part in message.raw(value).split(message.delimiters.repetition)]
        elif kind == "ED":
            lines += [_embedded(message, part, place) for part in value.split(message.delimiters.repetition) if part]
        elif not kind and value:
            raise Refused("101", "OBX-2, the type of the value, is missing", Location("OBX", place, 2))
        elif kind:
            raise Refused("103", "OBX-2 has to be TX, FT, ST or ED", Location("OBX", place, 2))
    text = "\n".join(lines)
    if not text.strip():
        raise Refused("101", "no OBX segment has text in OBX-5", Location("OBX", 1, 5))
    return text


def _embedded(message: Message, value: str, place: int) -> str:
    """The text of encapsulated data: source ^ type ^ subtype ^ encoding ^ data."""
    parts = [p.strip() for p in value.split(message.delimiters.component)]
    if len(parts) < 5:
        raise Refused("102", "ED has five components, the data last", Location("OBX", place, 5))
    encoding, where = parts[3].upper(), Location("OBX", place, 5, 5)
    if encoding == "A":
        data = message.text(parts[4]).encode("utf-8")
    elif encoding in ("BASE64", "HEX"):
        written = "".join(message.text(parts[4]).split())
        try:
            data = base64.b64decode(written, validate=True) if encoding == "BASE64" else bytes.fromhex(written)
        except (binascii.Error, ValueError):
            raise Refused("102", f"the data is not {parts[3]}", where) from None
    else:
        raise Refused("103", "the encoding of ED has to be A, Hex or Base64", Location("OBX", place, 5, 4))
    return _read(data, (parts[2] or parts[1]).upper(), where, "utf-8" if encoding == "A" else message.codec)


def _read(data: bytes, subtype: str, where: Location, codec: str) -> str:
    if subtype == "PDF" or data.startswith(b"%PDF-"):
        try:
            return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
        except (PyPdfError, ValueError, KeyError, TypeError, RecursionError):
            raise Refused("102", "the PDF can't be read", where) from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("iso8859-1" if codec == "utf-8" else codec, "replace")
    if subtype == "RTF" or text.startswith("{\\rtf"):
        return str(rtf_to_text(text, errors="ignore"))  # type: ignore[no-untyped-call]
    if subtype in ("HTML", "XHTML"):
        return BeautifulSoup(text, "html.parser").get_text("\n")
    if subtype in ("PLAIN", "TEXT", "TX", "FT", "AP", "X-HL7-TEXT", ""):
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Refused("103", "the data of ED has to be plain text, HTML, RTF or PDF", where)
