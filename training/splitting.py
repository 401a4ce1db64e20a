"""``codeassist split``: audited notes to train on and to measure on, apart by patient or by time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from codeassist.errors import InputError
from training.audited import AuditedNote, audited_from_record, is_note_folder, read_note_file, read_records, record_of
from training.data_report.duplicates import near_groups, note_bands
from training.fitting.survey import patient_number

TRAIN, TEST, LEFT_OUT = "train", "test", "left-out"


class By(StrEnum):
    """What keeps the notes apart."""

    patient = "patient"
    time = "time"


def split(
    audited: Annotated[list[Path], typer.Option("--audited", help="audited notes, in any form that train reads")],
    out: Annotated[Path, typer.Option("--out", help="folder for train.jsonl, test.jsonl and left-out.jsonl")],
    by: Annotated[By, typer.Option(help="patient: no patient on both sides; time: the latest notes are the test")],
    share: Annotated[float, typer.Option(min=0.01, max=0.9, help="share of the notes to measure on")] = 0.2,
    seed: Annotated[int, typer.Option(help="draws the patients")] = 20260401,
) -> None:
    """Split audited notes. Notes that are nearly the same count as one patient's, and are never on both sides."""
    patients, days, bands = [], [], []
    for _, note in _notes(audited):
        patients.append(patient_number(note))
        days.append(note.note.date_of_service.toordinal())
        bands.append(note_bands("\n".join(d.text for d in note.note.parts)))
    if len(patients) < 2:
        raise InputError("there are fewer than two notes: nothing to split")
    known = np.array(patients, dtype=np.uint64)
    group = near_groups(np.array(bands), known)
    if by is By.patient:
        side = by_patient(group, share, seed)
    else:
        side = by_time(group, np.array(days), share)
    out.mkdir(parents=True, exist_ok=True)
    counts = _write(audited, side, out)
    if not (counts[TRAIN] and counts[TEST]):
        raise InputError("one side is empty: the notes are too alike, of too few patients, or of one day")
    unknown = int((known == 0).sum())
    if unknown:
        typer.echo(f"{unknown} notes do not name their patient: each counts as of a patient of its own", err=True)
    typer.echo(", ".join(f"{name}: {count} notes" for name, count in counts.items()))


def by_patient(group: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The side of each note: groups drawn by the seed until the test has its share, and none that would go far over."""
    size = np.bincount(group)
    wanted = share * len(group)
    test = np.zeros(len(size), dtype=bool)
    held = 0
    for g in np.random.default_rng(seed).permutation(len(size)).tolist():
        if held < wanted and held + size[g] <= 1.5 * wanted:
            test[g] = True
            held += int(size[g])
    return np.where(test[group], TEST, TRAIN)


def by_time(group: np.ndarray, days: np.ndarray, share: float) -> np.ndarray:
    """The side of each note: the latest are the test, no day is on both sides, and what a patient of theirs has from
    before is on neither."""
    cut = np.sort(days)[min(len(days) - 1, int(np.ceil((1 - share) * len(days))))]
    late = days >= cut
    return np.where(late, TEST, np.where(np.isin(group, group[late]), LEFT_OUT, TRAIN))


def _notes(paths: Sequence[Path]) -> Iterator[tuple[Mapping[str, Any], AuditedNote]]:
    """Each record as it stands, with its note."""
    for path in paths:
        if is_note_folder(path):
            for file in sorted(path.rglob("*.md")):
                note = read_note_file(file)
                yield record_of(note), note
            continue
        for number, record in read_records(path):
            try:
                if isinstance(record, InputError):
                    raise record
                yield record, audited_from_record(record)
            except InputError as error:
                raise InputError(f"{path.name}, line {number}: {error}") from None


def _write(paths: Sequence[Path], side: np.ndarray, out: Path) -> dict[str, int]:
    counts = dict.fromkeys((TRAIN, TEST, LEFT_OUT), 0)
    files = {name: (out / f"{name}.jsonl").open("w", encoding="utf-8") for name in counts}
    try:
        for (record, _), name in zip(_notes(paths), side.tolist(), strict=True):
            files[name].write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
            counts[name] += 1
    finally:
        for file in files.values():
            file.close()
    return counts
