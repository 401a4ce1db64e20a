"""The report of ``codeassist evaluate``: one HTML page, one JSON file, one piece of Markdown for the model card. They
hold codes and names of parts, and no text of notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from training.accuracy.judging import Code
from training.accuracy.plots import BLUE, GREY, ORANGE, Plot, as_plot, new_axes, plots
from training.evaluation.measuring import Against, Evaluation
from training.evaluation.parts import Part
from training.evaluation.unattended import PRECISION, least_threshold

_FOLDERS = [Path(__file__).parent, Path(__file__).parents[1] / "accuracy"]
_MOST_BARS = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured: the release in words, the file of notes, and whether the release was trained on it."""

    model: str
    data: str
    trained_on_these: bool


def write_report(
    folder: Path, subject: Subject, found: Evaluation, against: Against | None, seen: Mapping[Code, int]
) -> Path:
    """Write ``report.html``, ``report.md`` and ``metrics.json`` into ``folder`` (made if need be); the path of the
    first."""
    folder.mkdir(parents=True, exist_ok=True)
    shown: dict[str, Any] = {
        **asdict(subject),
        "found": found,
        "against": against,
        "precision": PRECISION,
        "measures": list(dict.fromkeys(name for by in found.systems.values() for name in by)),
        "plots": [*plots(found.judged, seen), *_plots(found)],
    }
    for name, autoescape in (("report.html", True), ("report.md", False)):
        (folder / name).write_text(_environment(autoescape).get_template(name).render(shown), encoding="utf-8")
    record = {**asdict(subject), **found.as_record(), **(_against_record(against) if against else {})}
    (folder / "metrics.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return folder / "report.html"


def _environment(autoescape: bool) -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_FOLDERS)
    return jinja2.Environment(loader=loader, autoescape=autoescape, undefined=jinja2.StrictUndefined)


def _against_record(against: Against) -> dict[str, Any]:
    tests = {s: asdict(t) for s, t in against.mcnemar.items()}
    return {"against": {"release": against.name, **against.compared.as_record(), "mcnemar": tests}}


def _plots(found: Evaluation) -> list[Plot]:
    parts = [_bars(kind, by) for kind, by in found.parts.items() if kind not in ("frequency", "chapter")]
    return [_unattended(found), *parts]


def _unattended(found: Evaluation) -> Plot:
    """Share of the gold codes that suggestions above the threshold cover, by the precision asked for."""
    figure, axes = new_axes()
    asked = [0.5 + 0.01 * i for i in range(50)]
    for system, colour in zip(found.systems, (BLUE, ORANGE, GREY, "#5a9367"), strict=False):
        notes = [n.only((system,)) for n in found.judged]
        ranked = [r for n in notes for r in n.ranked]
        chance, right = (np.array([getattr(r, name) for r in ranked]) for name in ("probability", "right"))
        gold = sum(len(n.gold) for n in notes)
        shares = [float((chance >= least_threshold(chance, right, p)).sum()) / max(1, gold) for p in asked]
        axes.plot(asked, shares, color=colour, label=system)
    axes.axvline(PRECISION, color=GREY, linestyle=":")
    axes.set(xlabel="precision asked for", ylabel="suggestions above the threshold, by gold codes", ylim=(0, None))
    axes.legend(frameon=False)
    words = "On the notes themselves; the table above is the honest figure at the dotted line."
    return as_plot("Coverage by precision", figure, words)


def _bars(kind: str, by: Mapping[str, Part]) -> Plot:
    most = sorted(by.items(), key=lambda item: -item[1].codes)[:_MOST_BARS]
    figure, axes = new_axes(0.9 + 0.24 * max(3, len(most)))
    names = [f"{name} ({part.codes})" for name, part in most]
    values = [part.figures["f1"] for _, part in most]
    around = [[v.value - min(v.low, v.value) for v in values], [max(v.high, v.value) - v.value for v in values]]
    axes.barh(names, [v.value for v in values], xerr=around, color=BLUE, ecolor=GREY)
    axes.invert_yaxis()
    axes.set(xlabel="F1 at tier code", xlim=(0, 1))
    return as_plot(f"F1 by {kind}", figure, "F1 at tier code with its interval; the number of gold codes in brackets.")
