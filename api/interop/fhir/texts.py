"""The text of a document in one of the formats that EHRs keep: plain text, HTML, RTF, PDF with text, C-CDA."""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import logging
import re
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element, ParseError

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from striprtf.striprtf import rtf_to_text

from codeassist.errors import InputError

MOST_PAGES = 2000
_BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section table tbody td tfoot th thead title tr ul".split()
)
_CELLS = frozenset({"td", "th"})
_SILENT = ["script", "style", "head", "template", "noscript", "iframe", "object"]
_CDA = "{urn:hl7-org:v3}"
_BREAKS = frozenset({"br", "paragraph", "item", "tr", "caption", "table", "list", "thead", "tbody"})
logging.getLogger("pypdf").setLevel(logging.ERROR)  # its warnings quote the file


class UnreadableDocument(InputError):
    """The document is not what its type says, or holds no text."""


def text_of(data: bytes, media_type: str, charset: str | None = None) -> str:
    """The text of a document, which offsets count. Raises :class:`UnreadableDocument`.

    Plain text comes back as it is, line ends and blanks included; of the others, what a reader would see.
    """
    read = READERS.get(media_type)
    if read is None:
        raise UnreadableDocument(f"documents of type {media_type or 'unknown'} can't be read: {', '.join(READERS)} can")
    text = read(data, charset)
    if not text.strip():
        raise UnreadableDocument(f"the document ({media_type}) holds no text")
    return text


def _plain(data: bytes, charset: str | None) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _decode(data, encoding)
    return _decode(data, charset or "utf-8")


def _decode(data: bytes, charset: str) -> str:
    try:
        if codecs.lookup(charset)._is_text_encoding:
            return data.decode(charset)
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        raise UnreadableDocument(f"byte {place:,} of the document is not {charset}: name its charset") from None
    except (LookupError, ValueError):
        pass
    raise UnreadableDocument(f"the charset {charset[:40]!r} is not known") from None


def _html(data: bytes, charset: str | None) -> str:
    try:
        soup = BeautifulSoup(data, "html.parser", from_encoding=charset)
        for tag in soup(_SILENT):
            tag.decompose()
        pieces: list[str] = []
        _write(soup, pieces)
    except RecursionError:
        raise UnreadableDocument("the document is nested too deeply") from None
    return _tidy("".join(pieces))


def _write(tag: Tag, pieces: list[str]) -> None:
    for child in tag.children:
        if isinstance(child, Tag):
            block = child.name in _BLOCKS and child.name not in _CELLS
            pieces.append("\n" if block else "")
            _write(child, pieces)
            pieces.append("\n" if block else "\t" if child.name in _CELLS else "")
        elif type(child) is NavigableString:
            kept = str(child) if tag.name == "pre" else re.sub(r"\s+", " ", str(child))
            pieces.append(kept)


def _rtf(data: bytes, charset: str | None) -> str:
    if not data.lstrip().startswith(b"{\\rtf"):
        raise UnreadableDocument("the document is no RTF")
    try:
        text: str = rtf_to_text(data.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
        return text.replace("\0", "")
    except (ValueError, IndexError, KeyError, TypeError, LookupError):
        raise UnreadableDocument("the RTF is damaged") from None


def _pdf(data: bytes, charset: str | None) -> str:
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument("the PDF needs a password")
        if len(reader.pages) > MOST_PAGES:
            raise UnreadableDocument(f"the PDF has more than {MOST_PAGES:,} pages")
        text = "\n\n".join(page.extract_text() for page in reader.pages)
    except UnreadableDocument:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        # what pypdf raises for a damaged file is not of one family
        raise UnreadableDocument("the PDF is damaged") from None
    if not text.strip():
        raise UnreadableDocument("the PDF holds no text: a scan has to be read by OCR first")
    return text.encode("utf-8", "replace").decode()


def _cda(data: bytes, charset: str | None) -> str:
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise UnreadableDocument("the XML is not well formed, or has entities of its own") from None
    if root.tag != f"{_CDA}ClinicalDocument":
        raise UnreadableDocument("the XML is no C-CDA document: its root is not ClinicalDocument")
    inline = root.find(f"{_CDA}component/{_CDA}nonXMLBody/{_CDA}text")
    if inline is not None:
        return _inline(inline)
    pieces: list[str] = []
    for section in root.iter(f"{_CDA}section"):
        title, text = section.find(f"{_CDA}title"), section.find(f"{_CDA}text")
        if text is None:
            continue
        heading = "".join(title.itertext()).strip() if title is not None else ""
        pieces.append(f"\n\n{heading.rstrip(':')}:\n" if heading else "\n\n")
        _narrate(text, pieces)
    return _tidy("".join(pieces))


def _inline(text: Element) -> str:
    """The document that a C-CDA carries in place of sections."""
    content = "".join(text.itertext())
    media_type = text.get("mediaType", "text/plain")
    if text.get("representation") != "B64":
        return content
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
    except (ValueError, binascii.Error):
        raise UnreadableDocument("the body of the C-CDA is no base64") from None
    if media_type in _XML:
        raise UnreadableDocument("the body of the C-CDA is XML again")
    return text_of(data, media_type)


def _narrate(element: Element, pieces: list[str]) -> None:
    name = element.tag.removeprefix(_CDA)
    pieces.append("\n" if name in _BREAKS else "")
    pieces.append(re.sub(r"\s+", " ", element.text or ""))
    for child in element:
        _narrate(child, pieces)
        pieces.append(re.sub(r"\s+", " ", child.tail or ""))
    pieces.append("\t" if name in _CELLS else "\n" if name in _BREAKS else "")


def _tidy(text: str) -> str:
    """Text without blanks at the ends of lines, and with at most one empty line together."""
    lines = "\n".join(line.replace("\xa0", " ").strip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


_XML = ("text/xml", "application/xml", "application/hl7-cda+xml", "application/hl7-sdwg+xml")
READERS: Mapping[str, Callable[[bytes, str | None], str]] = {
    "text/plain": _plain,
    "text/html": _html,
    "application/xhtml+xml": _html,
    "text/rtf": _rtf,
    "application/rtf": _rtf,
    "application/pdf": _pdf,
    **dict.fromkeys(_XML, _cda),
}
"""What can be read, by media type."""
