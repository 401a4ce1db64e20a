"""The plots of the report, each an SVG to stand inline with the words that describe it. Needs the extra ``report``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.accuracy.errors import STAGES, counts_by_frequency, counts_by_group, misses_by_group
from training.accuracy.figures import CM, PROCEDURES, Counts, has_gold, probabilities
from training.accuracy.judging import Code, Judged

BLUE, ORANGE, GREY = "#3a86b7", "#d9822b", "#9aa5b1"
_BINS = 10
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.S)


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of the report: its title, its SVG, and what it shows in words."""

    title: str
    svg: str
    words: str


def plots(notes: Sequence[Judged], seen: Mapping[Code, int]) -> list[Plot]:
    """Every plot of a set of notes; ``seen`` is the number of training notes that had each code."""
    parts = {
        name: chosen
        for name, systems in (("diagnoses", CM), ("procedures", PROCEDURES))
        if has_gold(chosen := [n.only(systems) for n in notes])
    }
    return [
        _reliability(parts),
        _precision_recall(parts),
        _f1("F1 by chapter", counts_by_group(notes)),
        _f1("F1 by how many training notes had the code", counts_by_frequency(notes, seen)),
        _misses(notes),
        _false(notes),
    ]


def new_axes(height: float = 3.6) -> tuple[Figure, Axes]:
    """An empty figure of ``height`` inches, with its axes."""
    figure = Figure(figsize=(5.6, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def as_plot(title: str, figure: Figure, words: str) -> Plot:
    """The figure as a plot; its black becomes the colour of the text around it, so that it can be read on dark too."""
    target = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = target.getvalue()
    svg = svg[svg.index("<svg") :]
    prefix = re.sub(r"\W+", "-", title.lower())  # ids are the document's: plots must not share them
    svg = re.sub(r'(?<= id=")|(?<=url\(#)|(?<=href="#)', f"{prefix}-", svg)
    svg = _METADATA.sub("", svg).replace("#000000", "currentColor").replace("<svg ", '<svg role="img" ', 1)
    svg = re.sub(r"(?<=<text style=\")", "fill: currentColor; ", svg)
    return Plot(title, svg, words)


def _reliability(parts: Mapping[str, Sequence[Judged]]) -> Plot:
    figure, axes = new_axes()
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as promised")
    for (name, notes), colour in zip(parts.items(), (BLUE, ORANGE), strict=False):
        chance, right = probabilities(notes)
        bins = np.minimum((chance * _BINS).astype(int), _BINS - 1)
        filled = [b for b in range(_BINS) if (bins == b).any()]
        x, y = [[float(v[bins == b].mean()) for b in filled] for v in (chance, right)]
        axes.plot(x, y, color=colour, linewidth=1, label=name)
        axes.scatter(x, y, s=[8 + 12 * np.log10((bins == b).sum()) for b in filled], color=colour)
    axes.set(xlabel="probability shown", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    return as_plot("Calibration", figure, "Share of right codes by probability, in ten bins; larger dots hold more.")


def _precision_recall(parts: Mapping[str, Sequence[Judged]]) -> Plot:
    figure, axes = new_axes()
    for (name, notes), colour in zip(parts.items(), (BLUE, ORANGE), strict=False):
        chance, right = probabilities(notes)
        total = sum(len(n.gold) for n in notes)
        order = np.argsort(-chance, kind="stable")
        hits = np.cumsum(right[order])
        axes.plot(hits / total, hits / np.arange(1, len(hits) + 1), color=colour, linewidth=1.2, label=name)
        coded = [r for n in notes for r in n.ranked if r.coded]
        if coded:
            true = sum(r.right for r in coded)
            axes.scatter([true / total], [true / len(coded)], color=colour, zorder=3)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False)
    return as_plot("Precision against recall", figure, "As the threshold falls; the dot is tier code as it is shipped.")


def _f1(title: str, counts: Mapping[str, Counts]) -> Plot:
    shown = {f"{g} ({c.right + c.missed})": c.f1 for g, c in counts.items() if c.right + c.missed}
    figure, axes = new_axes(0.9 + 0.24 * max(3, len(shown)))
    axes.barh(list(shown), list(shown.values()), color=BLUE)
    axes.invert_yaxis()
    axes.set(xlabel="F1 at tier code", xlim=(0, 1))
    return as_plot(title, figure, "F1 at tier code; the number of gold codes in brackets.")


def _misses(notes: Sequence[Judged]) -> Plot:
    found = misses_by_group(notes)
    figure, axes = new_axes(1.3 + 0.24 * max(3, len(found)))
    left = np.zeros(len(found))
    for stage, colour in zip(STAGES, (ORANGE, GREY, BLUE), strict=True):
        width = np.array([c[stage] for c in found.values()], dtype=float)
        axes.barh(list(found), width, left=left, color=colour, label=f"{stage} ({int(width.sum())})")
        left += width
    axes.invert_yaxis()
    axes.set(xlabel="gold codes not suggested at tier code")
    figure.legend(frameon=False, loc="outside lower center", ncols=3, fontsize="small")
    return as_plot("Misses, and where they were lost", figure, "Gold codes by group and by the stage that lost them.")


def _false(notes: Sequence[Judged]) -> Plot:
    found = {g: c.false for g, c in counts_by_group(notes).items() if c.false}
    figure, axes = new_axes(0.9 + 0.24 * max(3, len(found)))
    bars = axes.barh(list(found), list(found.values()), color=ORANGE)
    axes.bar_label(bars, padding=2, fontsize="small")
    axes.invert_yaxis()
    axes.set(xlabel="false codes at tier code")
    return as_plot("False codes", figure, "Suggested at tier code and not coded, by group.")
