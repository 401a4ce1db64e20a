"""``codeassist learning-curve``: how good a release becomes with more notes of a site, from nothing or from another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from codeassist.errors import InputError

_MEASURES = ("f1", "map", "recall_at_15")
GREY = "#757575"
"""Has a contrast of more than 4 to white and to near-black."""
DRAWN = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
"""What of a figure has that colour: lines and letters that stand on the page itself."""


def learning_curve(
    audited: Annotated[Path, typer.Option("--audited", help="audited notes to train on, in parts")],
    test: Annotated[Path, typer.Option("--test", help="audited notes to measure on")],
    out: Annotated[Path, typer.Option("--out", help="folder of learning-curve.json, .md and .svg")],
    sizes: Annotated[str, typer.Option(help="numbers of notes, parted by commas")] = "100,200,400",
    labels: Annotated[str, typer.Option(help="as of codeassist train")] = "audited",
    from_release: Annotated[str, typer.Option(help="the release of the warm start; none leaves it out")] = "shipped",
    system: Annotated[str, typer.Option(help="the code system that is shown")] = "icd-10-cm",
    seed: Annotated[int, typer.Option(help="draws the notes: each size holds the one before")] = 20260401,
) -> None:
    """Train on more and more notes and measure each release on the same other ones. What was measured already, with
    the same notes and options, is not done again."""
    from training.audited import read_audited

    notes = list(read_audited(audited))
    wanted = sorted(int(s) for s in sizes.split(","))
    if wanted[-1] > len(notes):
        raise InputError(f"{audited.name} has {len(notes)} notes, fewer than {wanted[-1]}")
    order = np.random.default_rng(seed).permutation(len(notes)).tolist()
    held = list(read_audited(test))
    out.mkdir(parents=True, exist_ok=True)
    points: list[dict[str, Any]] = []
    starts = ("cold", "warm") if from_release != "none" else ("cold",)
    for size in (0, *wanted):
        for start in starts if size else starts[1:]:
            chosen = sorted(order[:size])
            point = _point(out, [notes[i] for i in chosen], held, size, start, labels, from_release, system)
            points.append(point)
            typer.echo(f"{size} notes, {start}: " + ", ".join(f"{m} {point[m]:.3f}" for m in _MEASURES))
    (out / "learning-curve.json").write_text(json.dumps(points, indent=1) + "\n", encoding="utf-8")
    (out / "learning-curve.md").write_text(render(points), encoding="utf-8")
    plot(points, out / "learning-curve.svg", system)


def _point(
    out: Path, notes: Sequence[Any], held: Sequence[Any], size: int, start: str, labels: str, prior: str, system: str
) -> dict[str, Any]:
    from training.audited import record_of
    from training.train import train

    found = out / f"{size}-{start}.json"
    if not found.is_file():
        data, model = out / f"{size}.jsonl", out / f"{size}-{start}"
        data.write_text("".join(json.dumps(record_of(n)) + "\n" for n in notes), encoding="utf-8")
        if notes:
            train([data], model, labels=labels, from_release=prior if start == "warm" else None)
        else:
            model = _release(prior)
        point = {"notes": size, "start": start, **_measured(model, held, system)}
        found.write_text(json.dumps(point) + "\n", encoding="utf-8")
    point = json.loads(found.read_bytes())
    return dict(point)


def _release(name: str) -> Path:
    from training.registry.folder import open_registry

    return open_registry().path(name)


def _measured(model: Path, held: Sequence[Any], system: str) -> dict[str, float]:
    from codeassist.assistant import load
    from training.metrics import measure

    assistant = load(model)
    figures = measure(held, [assistant.suggest(n.note) for n in held])
    if system not in figures:
        raise InputError(f"the notes to measure on have no codes of {system}")
    return {name: figures[system][name] for name in _MEASURES}


def render(points: Sequence[dict[str, Any]]) -> str:
    """The points as a Markdown table."""
    rows = ["| notes | start | F1 | MAP | recall in the first 15 |", "|---|---|---|---|---|"]
    for p in points:
        rows.append(f"| {p['notes']} | {p['start']} | " + " | ".join(f"{p[m]:.3f}" for m in _MEASURES) + " |")
    return "\n".join(rows) + "\n"


def plot(points: Sequence[dict[str, Any]], path: Path, system: str) -> None:
    """F1 and mean average precision over the number of notes, as SVG for light and dark pages. Raises
    :class:`InputError` without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise InputError("the curve needs matplotlib: install codeassist with its extra 'report'") from None
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "codeassist"
    from matplotlib import pyplot

    for name in DRAWN:
        mpl.rcParams[name] = GREY  # type: ignore[index]
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4))
    for ax, of, title in zip(axes, ("f1", "map"), (f"F1, {system}", f"mean average precision, {system}"), strict=True):
        for start, mark, colour in (("cold", "o--", "#d9730d"), ("warm", "o-", "#3b82f6")):
            mine = [p for p in points if p["start"] == start]
            if mine:
                name = "from the shipped release" if start == "warm" else "from nothing"
                ax.plot([p["notes"] for p in mine], [p[of] for p in mine], mark, color=colour, label=name)
        ax.set_xlabel("audited notes of the site")
        ax.set_title(title)
        ax.grid(alpha=0.3)
        ax.legend(framealpha=0)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None}, transparent=True)
    pyplot.close(figure)
