"""The index on disk: one folder of numpy arrays and text blobs, all opened read-only and memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codeassist.terminology.codes import UNTITLED
from codeassist.terminology.words import title_stems

if TYPE_CHECKING:
    from codeassist.terminology.codes import Code

FORMAT = 3
"""Raised when the layout changes; an index of another format is rebuilt."""
META = "meta.json"
GROUPS = "icd-10-cm-groups"
"""Chapters and blocks of ICD-10-CM, kept apart from the codes."""
SYSTEM_NUMBERS: dict[str, int] = {"icd-10-cm": 0, "icd-10-pcs": 1, "cpt": 2, "hcpcs": 3, GROUPS: 4}
SYSTEM_NAMES = tuple(SYSTEM_NUMBERS)


class IndexWriter:
    """Writes arrays, string tables and the code table into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def array(self, name: str, values: np.ndarray) -> None:
        np.save(self.folder / f"{name}.npy", values, allow_pickle=False)

    def strings(self, name: str, values: Sequence[str]) -> None:
        """A table of strings: one UTF-8 blob and the offsets into it."""
        encoded = [v.encode() for v in values]
        offsets = np.zeros(len(encoded) + 1, dtype=np.uint32)
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        (self.folder / f"{name}.txt").write_bytes(b"".join(encoded))
        self.array(f"{name}_offset", offsets)

    def codes(self, codes: Sequence[Code], rows: Mapping[tuple[str, str], int]) -> None:
        """The code table, sorted by system and key."""
        sources = sorted({c.source for c in codes})
        number = {s: i for i, s in enumerate(sources)}
        self.array("code_key", np.array([c.key for c in codes], dtype="S10"))
        self.array("code_system", np.array([SYSTEM_NUMBERS[c.system] for c in codes], dtype=np.uint8))
        self.array("code_first", np.array([c.first for c in codes], dtype=np.int32))
        self.array("code_last", np.array([c.last for c in codes], dtype=np.int32))
        self.array("code_billable", np.array([c.billable for c in codes], dtype=bool))
        self.array("code_expanded", np.array([c.expanded for c in codes], dtype=bool))
        self.array("code_source", np.array([number[c.source] for c in codes], dtype=np.uint8))
        parents = [rows.get((c.parent_system or c.system, c.parent), -1) if c.parent else -1 for c in codes]
        self.array("code_parent", np.array(parents, dtype=np.int32))
        self.strings("code_title", [c.title for c in codes])
        self.strings("code_words", [" ".join(title_stems(c.title)) if c.title != UNTITLED else "" for c in codes])
        self.strings(
            "code_notes", [json.dumps(c.notes, ensure_ascii=False, sort_keys=True) if c.notes else "" for c in codes]
        )
        self.strings("source", sources)

    def meta(self, values: Mapping[str, Any]) -> None:
        """Written last: an index without it is not there."""
        (self.folder / META).write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")


class Strings:
    """A mapped table of strings."""

    def __init__(self, folder: Path, name: str) -> None:
        self._blob = np.asarray(np.memmap(folder / f"{name}.txt", dtype=np.uint8, mode="r"))
        self._offset = np.asarray(np.load(folder / f"{name}_offset.npy", mmap_mode="r"))

    def __len__(self) -> int:
        return len(self._offset) - 1

    def __getitem__(self, i: int) -> str:
        begin, end = self._offset[i : i + 2].tolist()
        return self._blob[begin:end].tobytes().decode()

    def all(self) -> list[str]:
        """Every string, decoded."""
        return [self[i] for i in range(len(self))]
