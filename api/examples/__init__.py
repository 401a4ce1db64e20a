"""The example notes of the page: one file each, written for this project, of invented patients.

A file is TOML front matter between ``+++`` lines, then the note as the service receives it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from codeassist.note import Note, note_from_record

KINDS = ("progress", "discharge summary", "emergency", "operative", "radiology", "durable equipment")
"""In the order of the page."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example: ``title`` says in a few words what the visit was for."""

    id: str
    kind: str
    title: str
    note: Note


def read_example(name: str, content: str) -> Example:
    """The example in one file's content."""
    _, front, text = content.split("+++\n", 2)
    matter = tomllib.loads(front)
    kind, title = matter.pop("kind"), matter.pop("title")
    return Example(name, kind, title, note_from_record({**matter, "id": name, "text": text}))


@cache
def examples() -> tuple[Example, ...]:
    """All examples, one of each kind."""
    files = (f for f in resources.files(__name__).iterdir() if f.name.endswith(".md"))
    found = [read_example(f.name.removesuffix(".md"), f.read_text("utf-8")) for f in files]
    return tuple(sorted(found, key=lambda e: KINDS.index(e.kind)))
