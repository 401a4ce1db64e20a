"""Safe reading of published XML files."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from codeassist.errors import TerminologyError


def read_xml(path: Path) -> Element:
    """The root of an XML file; entities that expand or point outside the file are refused.

    Raises :class:`TerminologyError` when the file is cut short or is no XML.
    """
    try:
        root: Element | None = parse(path).getroot()
    except ParseError as error:
        raise TerminologyError(f"{path.name} is damaged: not readable as XML ({error}); download it again") from None
    except (DefusedXmlException, UnicodeDecodeError, LookupError, ValueError) as error:
        raise TerminologyError(f"{path.name} is not readable as XML: {type(error).__name__}") from None
    if root is None:
        raise TerminologyError(f"{path.name} is an empty XML file")
    return root


def text_of(element: Element | None) -> str:
    """All text inside an element, blanks joined; "" for none."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def release_year(root: Element, path: Path) -> str:
    """The year in ``<version>``; raises :class:`TerminologyError` when there is none."""
    version = (root.findtext("version") or "").strip()
    if not (version.isdigit() and len(version) == 4):
        raise TerminologyError(f"{path.name} does not state its release year in <version>")
    return version
