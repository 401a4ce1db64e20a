"""Lines of published text files, whichever of the two encodings in use they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from codeassist.errors import TerminologyError

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines (from 1) without their line end; blank ones and a final Ctrl-Z are left out.

    CMS and the AMA publish UTF-8 and Windows-1252. Raises :class:`TerminologyError` for anything else.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise TerminologyError(f"{path.name} is not a text file") from None
    if _CONTROL.search(text):
        raise TerminologyError(f"{path.name} is not a text file, or is damaged: it holds control characters")
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip("\r\x1a")
        if line.strip():
            yield number, line
