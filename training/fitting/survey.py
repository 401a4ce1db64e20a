"""The first stage: notes are copied, as they come, into shards; labels are numbered, patients told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from codeassist.errors import InputError
from codeassist.terminology.store import Store
from training.audited import AuditedNote, audited_from_record, record_of
from training.fitting.work import WorkFolder, load, write_piece

SHARD = 128
"""Notes of a shard: what a worker does at a time, and what is done again when it was killed."""
LEAST_NOTES = 10
Code = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to learn from: the number of notes, and every label (system, code without dot), sorted."""

    notes: int
    labels: list[Code]

    @property
    def shards(self) -> int:
        """How many shards the notes fill."""
        return -(-self.notes // SHARD)


def survey(
    work: WorkFolder, notes: Iterable[AuditedNote], store: Store, audited_labels: bool, known: Iterable[Code] = ()
) -> Survey:
    """Copy the notes into the work folder, unless that was done. Labels are every code that the notes hold, and those
    ``known`` from before; without ``audited_labels`` only billable codes of the terminology.

    Raises :class:`InputError` for fewer than :data:`LEAST_NOTES` notes.
    """
    if not work.has("survey"):
        found: set[Code] = set(known)
        patients: list[int] = []
        stream = iter(notes)
        for number, shard in enumerate(iter(lambda: list(islice(stream, SHARD)), [])):
            found |= {(c.system, c.key) for n in shard for c in n.codes}
            patients += [patient_number(n) for n in shard]
            lines = "".join(json.dumps(record_of(n), ensure_ascii=False) + "\n" for n in shard)
            write_piece(work.folder, f"notes/{number:05}", {"notes.jsonl": lines.encode()})
            work.finish(f"notes/{number:05}")
        if len(patients) < LEAST_NOTES:
            raise InputError(f"{len(patients)} audited notes are too few to train on: give at least {LEAST_NOTES}")
        if not audited_labels:
            found = {(s, k) for s, k in found if (row := store.row(s, k)) is not None and store.billable[row]}
        files: dict[str, np.ndarray | bytes] = {
            "labels.json": json.dumps(sorted(found)).encode(),
            "patient": np.array(patients, dtype=np.uint64),
        }
        write_piece(work.folder, "survey", files)
        work.finish("survey")
    return surveyed(work.folder)


def surveyed(folder: Path) -> Survey:
    """The survey of a work folder."""
    labels = json.loads((folder / "survey" / "labels.json").read_bytes())
    return Survey(len(load(folder, "survey", "patient")), [(s, k) for s, k in labels])


def patient_number(note: AuditedNote) -> int:
    """A number for the patient; 0 where it is not known."""
    identity = note.note.patient.id
    if not identity:
        return 0
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "little") or 1


def shard_notes(folder: Path, shard: int) -> Iterator[AuditedNote]:
    """The notes of a shard."""
    return (note for _, note in numbered_notes(folder, shard))


def numbered_notes(folder: Path, shard: int, wanted: Container[int] | None = None) -> Iterator[tuple[int, AuditedNote]]:
    """The notes of a shard with their numbers among all, only those ``wanted``."""
    with (folder / "notes" / f"{shard:05}" / "notes.jsonl").open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, shard * SHARD):
            if wanted is None or number in wanted:
                yield number, audited_from_record(json.loads(line))
