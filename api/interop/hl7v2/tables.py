"""The tables beside this module, as dictionaries."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table without its comments and its header."""
    lines = resources.files(__package__).joinpath(name).read_text("utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))[1:]


def _pairs(name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in rows(name)}


def codec_of(charset: str) -> str | None:
    """Python's codec of a character set of MSH-18, or ``None``.

    >>> codec_of("8859/1"), codec_of("unicode utf-8"), codec_of("EBCDIC")
    ('iso8859-1', 'utf-8', None)
    """
    return _pairs("charsets.tsv").get(charset.strip().upper())


def note_type_of(system: str, code: str) -> str | None:
    """The note's type of a document type, or ``None``.

    >>> note_type_of("LN", "11504-8"), note_type_of("", "DS")
    ('operative', 'discharge summary')
    """
    return {(s, c): kind for s, c, kind in rows("document_types.tsv")}.get((system or "HL70270", code))


def setting_of(patient_class: str) -> str:
    """The setting of a patient class of PV1-2."""
    return _pairs("patient_classes.tsv").get(patient_class.upper(), "outpatient")
