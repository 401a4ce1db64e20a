"""The HTML report: one file that asks nothing of a network and holds codes, not text of notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from codeassist.choice import dotted
from training.accuracy.bars import Bars, Row
from training.accuracy.errors import confusions
from training.accuracy.figures import CM, PROCEDURES, Counts, count
from training.accuracy.measuring import Measured
from training.accuracy.plots import Plot, plots

CONFUSIONS = 20
"""How many pairs of confused codes the report lists for each set."""


@dataclass(frozen=True, slots=True)
class Section:
    """What the report shows of one set of notes."""

    title: str
    release: str
    notes: int
    counts: dict[str, Counts]
    plots: list[Plot]
    confused: list[tuple[str, str, str, int]]


def write_report(folder: Path, bars: Bars, table: Sequence[Row], measured: Measured) -> Path:
    """Write ``index.html`` and ``figures.json`` into ``folder`` (made if need be); the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html").render(
        rows=table,
        sections=sections(bars, measured),
        wrong_terms=measured.wrong_terms,
        terminology=measured.terminology,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    found = {f"{name}.{measure}": value for (name, measure), value in measured.reached.items()}
    (folder / "figures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return folder / "index.html"


def sections(bars: Bars, measured: Measured) -> list[Section]:
    """One section for each set of notes that was measured."""
    out = []
    for name, judged in measured.judged.items():
        parts = {"diagnoses": CM, "procedures": PROCEDURES}
        counts = {part: count([n.only(systems) for n in judged.notes]) for part, systems in parts.items()}
        confused = [(s, dotted(s, g), dotted(s, f), n) for s, g, f, n in confusions(judged.notes, CONFUSIONS)]
        pictures = plots(judged.notes, judged.seen)
        out.append(Section(bars.sets[name].title, judged.release, len(judged.notes), counts, pictures, confused))
    return out
