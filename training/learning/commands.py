"""``codeassist teach`` and ``codeassist drift``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from codeassist.errors import InputError


def teach(
    source: Annotated[Path, typer.Argument(metavar="NOTES.jsonl", help="notes without codes, JSON Lines")],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="id and priority, the most instructive first")],
    model: Annotated[Path | None, typer.Option("--model", help="release; the promoted one unless given")] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="a second release: what the two disagree on teaches most")
    ] = None,
    most: Annotated[int | None, typer.Option("--most", min=1, help="write only so many")] = None,
) -> None:
    """Rank notes by how much their coding would teach the model."""
    from codeassist.assistant import load
    from codeassist.note import note_from_record
    from codeassist.progress import track
    from training.audited import read_records
    from training.learning.teach import rank_notes
    from training.registry.folder import open_registry
    from training.registry.promotion import open_assistant

    notes = []
    for number, record in read_records(source):
        try:
            if isinstance(record, InputError):
                raise record
            notes.append(note_from_record(record))
        except InputError as error:
            raise InputError(f"{source.name}, line {number}: {error}") from None
    other = open_assistant(open_registry(), against) if against else None
    ranked = rank_notes(notes, load(model), other, lambda found: track(found, len(notes), "notes"))
    lines = (json.dumps(t.as_record(), ensure_ascii=False) + "\n" for t in ranked[:most])
    target.write_text("".join(lines), encoding="utf-8")
    typer.echo(f"{len(notes)} notes, {sum(t.like is not None for t in ranked)} of them nearly the same as another")


def drift(
    audited: Annotated[list[Path], typer.Option("--audited", help="notes with their final codes, by date of service")],
    results: Annotated[
        Path | None, typer.Option("--results", help="results of `codeassist batch` on them; made anew unless given")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="release; the promoted one unless given")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="JSON file of everything")] = None,
) -> None:
    """Hold notes, suggestions and acceptance of each week against the data that the release was trained on.

    The exit status is 1 when a week raises a finding.
    """
    from codeassist.assistant import load
    from codeassist.drift import Limits, drift_by_week, observe
    from codeassist.drift.profile import read_profile
    from codeassist.progress import track
    from codeassist.settings import settings
    from training.audited import read_audited

    assistant = load(model)
    if assistant.release.profile is None:
        raise InputError("the release keeps no profile of its training data: train it again")
    profile = read_profile(assistant.release.profile)
    notes = [n for path in audited for n in read_audited(path)]
    made = _results(results) if results is not None else None

    def observed() -> Iterator[Any]:
        for n in track(notes, len(notes), "notes"):
            if made is not None and n.note.id not in made:
                raise InputError(f"there is no result of the note {n.note.id}")
            result = made[n.note.id] if made is not None else assistant.suggest(n.note).as_record()
            final = {(c.system, c.key) for c in n.codes}
            yield observe(profile, n.note.date_of_service, n.note, result, final)

    s = settings()
    limits = Limits(s.drift_psi, s.drift_divergence, s.drift_acceptance, s.drift_notes)
    found = drift_by_week(profile, observed(), limits)
    for week in found.weeks:
        typer.echo(f"{week.monday}: {week.notes} notes{': ' + '; '.join(week.findings) if week.findings else ''}")
    if report is not None:
        report.write_text(json.dumps(found.as_record(), indent=1) + "\n", encoding="utf-8")
    if any(w.findings for w in found.weeks):
        raise typer.Exit(1)


def _results(path: Path) -> dict[str, Mapping[str, Any]]:
    from training.audited import read_records

    out: dict[str, Mapping[str, Any]] = {}
    for number, record in read_records(path):
        if isinstance(record, InputError) or "suggestions" not in record:
            raise InputError(f"{path.name}, line {number}: this is no result of `codeassist batch`")
        out[str(record["id"])] = record
    return out
