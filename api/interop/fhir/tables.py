"""The tables beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple, cast

from codeassist.note import Setting


class ClassRow(NamedTuple):
    """What an Encounter's class decides."""

    setting: Setting
    claim: str


@cache
def encounter_classes() -> Mapping[str, ClassRow]:
    """The rows of ``settings.tsv`` by class."""
    return {code: ClassRow(cast("Setting", setting), claim) for code, setting, claim in _rows("settings.tsv")}


@cache
def note_types() -> Mapping[str, str]:
    """The rows of ``note_types.tsv`` by LOINC code."""
    return {row[0]: row[1] for row in _rows("note_types.tsv")}


def _rows(name: str) -> list[list[str]]:
    text = resources.files("api.interop.fhir").joinpath(name).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return rows[1:]
