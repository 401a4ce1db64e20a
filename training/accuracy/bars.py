"""The bars of ``bars.toml``, and the table that holds figures against them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["notes", "assertion", "terms"]
Reached = Mapping[tuple[str, str], float | None]
"""Figures by (set, measure); ``None`` where the set holds nothing to measure it on."""


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """What is measured on: a file below the shared folder or the checkout."""

    name: str
    title: str
    kind: Kind
    shared: str | None = None
    checkout: str | None = None
    core: bool = False
    trained_on: str | None = None

    def path(self, checkout: Path, shared: Path) -> Path:
        """Where the set lies."""
        return checkout / self.checkout if self.checkout is not None else shared / (self.shared or "")


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the table: a measure on a set, and the least or most that it should be, if anything."""

    set: str
    measure: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """All bars in the order of the table, the sets that they are measured on, and the measures' titles."""

    sets: Mapping[str, MeasuredSet]
    measures: Mapping[str, str]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table as it is shown."""

    what: str
    on: str
    reached: str
    bar: str
    verdict: str


def read_bars() -> Bars:
    """The bars of ``bars.toml``."""
    record: dict[str, Any] = tomllib.loads(Path(__file__).with_name("bars.toml").read_text(encoding="utf-8"))
    return Bars(
        {name: MeasuredSet(name, **facts) for name, facts in record["sets"].items()},
        record["measures"],
        tuple(Bar(**bar) for bar in record["bars"]),
    )


def rows(bars: Bars, reached: Reached, missing: Mapping[str, str]) -> list[Row]:
    """The table: a row a bar. ``missing`` tells, by set, why it was not measured."""
    return [_row(bar, bars, reached, missing) for bar in bars.bars]


def _row(bar: Bar, bars: Bars, reached: Reached, missing: Mapping[str, str]) -> Row:
    what, on = bars.measures[bar.measure], bars.sets[bar.set].title
    sign, limit = ("at least", bar.at_least) if bar.at_most is None else ("at most", bar.at_most)
    shown = f"{sign} {limit:.2f}" if limit is not None else "none"
    if bar.set in missing:
        return Row(what, on, "-", shown, f"missing: {missing[bar.set]}")
    figure = reached.get((bar.set, bar.measure))
    if figure is None:
        return Row(what, on, "-", shown, "nothing to measure it on")
    return Row(what, on, f"{figure:.3f}", shown, _verdict(figure, bar))


def _verdict(figure: float, bar: Bar) -> str:
    if bar.at_least is not None:
        return "met" if figure >= bar.at_least else f"not met, {bar.at_least - figure:.4f} too low"
    if bar.at_most is not None:
        return "met" if figure <= bar.at_most else f"not met, {figure - bar.at_most:.4f} too high"
    return ""


def render(table: Sequence[Row]) -> str:
    """The table as Markdown, its columns aligned."""
    lines = [("what", "measured on", "reached", "bar", "verdict")]
    lines += [(r.what, r.on, r.reached, r.bar, r.verdict) for r in table]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    shown = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *shown[1:]])
