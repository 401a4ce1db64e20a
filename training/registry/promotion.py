"""Promoting a release through the gates, and going back to the one before."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codeassist.assistant import CodeAssistant
from codeassist.errors import CodeassistError, InputError, ModelError
from codeassist.progress import track
from codeassist.registry import Pointer
from codeassist.release import load_release
from codeassist.terminology.access import open_store
from training.audited import AuditedNote, read_audited
from training.evaluation.scoring import Scores, score
from training.fingerprint import data_record
from training.registry.compare import Comparison, compare, seen_in_training
from training.registry.folder import SHIPPED, Registry
from training.registry.gates import (
    GATES,
    Gates,
    Outcome,
    Overall,
    check_fixed,
    judge,
    read_fixed,
    read_gates,
)
from training.registry.history import append, last_promoted, read_log, served


class PromotionRefused(CodeassistError):
    """The release is worse than the promoted one at a gate of the site."""

    code = "promotion-refused"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was decided: the release, the one before it, the outcome of every gate, and the comparison if there was
    one."""

    release: str
    sha256: str
    before: str
    outcomes: tuple[Outcome, ...]
    compared: Comparison | None
    forced: bool

    def as_record(self) -> dict[str, Any]:
        """For JSON and for the log."""
        return {
            "release": self.release,
            "sha256": self.sha256,
            "instead_of": self.before,
            "forced": self.forced,
            "gates": [asdict(o) for o in self.outcomes],
            "comparison": self.compared.as_record() if self.compared else None,
        }


def open_assistant(registry: Registry, name: str) -> CodeAssistant:
    """The assistant over a release that is named as in :meth:`~training.registry.folder.Registry.path`."""
    return CodeAssistant(open_store(), load_release(registry.path(name)))


def read_notes(paths: Sequence[Path]) -> list[AuditedNote]:
    """Audited notes of all files together; raises :class:`InputError` when there are none, or none that has a code."""
    notes = [n for path in paths for n in read_audited(path)]
    if not any(n.codes for n in notes):
        raise InputError(f"there are no audited notes with codes in {', '.join(p.name for p in paths)}")
    return notes


def scores_of(assistant: CodeAssistant, notes: Sequence[AuditedNote], title: str) -> Scores:
    """Scores of one release on the notes, with a progress bar."""
    return score(notes, track((assistant.suggest(n.note) for n in notes), len(notes), title))


def promote(
    registry: Registry,
    name: str,
    *,
    audited: Sequence[Path] = (),
    gates: Path | None = None,
    force: bool = False,
    reason: str | None = None,
) -> Promotion:
    """Promote a release of the registry.

    Raises :class:`PromotionRefused` when a gate fails and ``force`` is not given; :class:`ModelError` when the release
    is damaged or, where the site asks for it, not signed, forced or not; :class:`InputError` for wrong use.
    """
    if force and not (reason and reason.strip()):
        raise InputError("--force needs --reason: it is kept in the log")
    folder = registry.own(name)
    with registry.lock():
        before = _settled(registry)
        rules = _gates(registry, audited, gates)
        new = CodeAssistant(open_store(), load_release(folder))
        pointer = Pointer(folder.name, new.model.sha256)
        if before == pointer:
            raise InputError(f"{folder.name} is promoted already")
        notes = list(audited) or ([rules.audited] if rules.audited else [])
        if not notes and (rules.overall or rules.chapters):
            raise InputError("the gates compare releases: name notes with --audited, or in the gates' file")
        compared, outcomes = None, []
        if notes:
            try:
                old = _served_now(registry, before)
            except ModelError as error:  # a gate like the others: without force a site could not get away from it
                outcomes.append(Outcome("comparison", False, f"what is served now can't be measured: {error}"))
            else:
                compared = _compare(old, new, notes, rules.confidence)
                outcomes += judge(rules, compared)
            outcomes.append(_unseen(new, notes))
        if rules.must_not_fail:
            outcomes += check_fixed(read_fixed(rules.must_not_fail.notes), new)
        failed = [o for o in outcomes if not o.passed]
        if failed and not force:
            told = "\n".join(f"  {o.gate}: {o.detail}" for o in failed)
            raise PromotionRefused(
                f"{folder.name} is not promoted. It fails:\n{told}\n--force --reason '...' promotes it all the same."
            )
        done = Promotion(
            folder.name, pointer.sha256, before.release if before else SHIPPED, tuple(outcomes), compared, bool(failed)
        )
        append(
            registry.folder,
            {"action": "promote", **_who(), "reason": reason, **done.as_record(), "metrics": _metrics(new)},
        )
        registry.point(pointer)
    return done


def roll_back(registry: Registry, reason: str | None = None) -> str:
    """Go back to the release that was served before the promoted one; its name, or ``shipped``, comes back.

    Raises :class:`InputError` when nothing is promoted, and :class:`ModelError` when the release before is gone,
    damaged or not what it was when it was promoted.
    """
    with registry.lock():
        now = _settled(registry)
        if now is None:
            raise InputError("nothing is promoted: there is nothing to go back from")
        stack = served(read_log(registry.folder))
        pointer = last_promoted(stack[:-1])
        if pointer is not None:
            load_release(registry.folder / pointer.release, pointer.sha256)
        name = pointer.release if pointer else SHIPPED
        record = {"release": pointer.release if pointer else None, "sha256": pointer.sha256 if pointer else None}
        append(registry.folder, {"action": "rollback", **_who(), "reason": reason, **record, "instead_of": now.release})
        registry.point(pointer)
    return name


def _settled(registry: Registry) -> Pointer | None:
    """What is promoted, after the pointer was set to what the log says: the log is written first, so a process that was
    killed between the two has left the pointer behind."""
    pointer = last_promoted(read_log(registry.folder))
    try:
        found = registry.promoted()
    except ModelError:
        found = None
    if found != pointer:
        registry.point(pointer)
    return pointer


def _gates(registry: Registry, audited: Sequence[Path], named: Path | None) -> Gates:
    """The gates named, else those of the registry, else, with notes to compare on, the overall ones."""
    own = registry.folder / GATES
    if named is not None or own.is_file():
        return read_gates(named or own)
    return Gates(overall=Overall()) if audited else Gates()


def _served_now(registry: Registry, before: Pointer | None) -> CodeAssistant:
    folder, sha256 = (registry.folder / before.release, before.sha256) if before else (registry.path(SHIPPED), None)
    return CodeAssistant(open_store(), load_release(folder, sha256))


def _compare(old: CodeAssistant, new: CodeAssistant, paths: Sequence[Path], confidence: float) -> Comparison:
    notes = read_notes(paths)
    first = scores_of(old, notes, "promoted release")
    return compare(first, scores_of(new, notes, "new release"), confidence)


def _unseen(new: CodeAssistant, paths: Sequence[Path]) -> Outcome:
    seen = seen_in_training(new.release.manifest, [data_record(p, "")["sha256"] for p in paths])
    detail = (
        "the release was trained on the very notes that it is measured on" if seen else "other files than trained on"
    )
    return Outcome("notes of their own", not seen, detail)


def _metrics(assistant: CodeAssistant) -> Any:
    return assistant.release.manifest.get("metrics", {})


def _who() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this user's number, as in some containers
        user = "unknown"
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "user": user}
