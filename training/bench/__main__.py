"""``python -m training.bench``: train on generated notes of several sizes, print and write time and memory."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from training.audited import read_audited
from training.bench.generate import write_generated
from training.bench.measure import Measured, extrapolate, plot, render, run_measured

_OWN = Path(__file__).parents[1] / "notes" / "audited"


def main(
    out: Annotated[Path, typer.Option(help="folder of bench.json, bench.md and bench.svg")] = Path("out/bench-train"),
    sizes: Annotated[str, typer.Option(help="numbers of notes, parted by commas")] = "1000,3000,10000,30000,100000",
    most: Annotated[
        int, typer.Option(help="sizes above this one are not run but extrapolated, and marked so")
    ] = 100_000,
    labels: Annotated[str, typer.Option(help="as of codeassist train")] = "audited",
    workers: Annotated[int, typer.Option(help="as of codeassist train")] = 2,
    seed: Annotated[int, typer.Option(help="of the notes that are generated")] = 1,
) -> None:
    """Measure how training grows."""
    out.mkdir(parents=True, exist_ok=True)
    notes = list(read_audited(_OWN))
    measured: list[Measured] = []
    for size in sorted(int(s) for s in sizes.split(",")):
        if size > most:
            measured.append(extrapolate([m for m in measured if not m.extrapolated], size))
        else:
            data, model = out / f"generated-{size}.jsonl", out / f"model-{size}"
            write_generated(data, notes, size, seed)
            arguments = ["train", "--audited", str(data), "--out", str(model), "--labels", labels, "--restart"]
            measured.append(run_measured(size, [*arguments, "--workers", str(workers), "--licence", "generated"]))
            data.unlink()
            shutil.rmtree(model)
        typer.echo(json.dumps(asdict(measured[-1])))
    (out / "bench.json").write_text(json.dumps([asdict(m) for m in measured], indent=1) + "\n", encoding="utf-8")
    (out / "bench.md").write_text(render(measured) + "\n", encoding="utf-8")
    plot(measured, out / "bench.svg")


if __name__ == "__main__":
    typer.run(main)
