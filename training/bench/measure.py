"""Time and memory of one training, and the curve of several."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import psutil

from training.curve import DRAWN, GREY

_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One training: notes, seconds on the clock and of the processors (which other work on the machine does not
    change), and the highest sum of what its processes held at a time, in MB: resident (files that several have mapped
    are counted in each), and of its own alone. ``stages`` has the seconds of the processors by stage, those of starting
    the workers in their first. ``extrapolated``: not run."""

    notes: int
    seconds: float
    cpu_seconds: float
    peak_resident: float
    peak_own: float
    extrapolated: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)


class _Told:
    """What a process says, read as it comes: the last line names the stage that it is in."""

    def __init__(self, pipe: IO[str]) -> None:
        self.lines = ["start"]
        self._reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self.lines.append(line.strip())

    def everything(self) -> str:
        """All of it, once the process has ended."""
        self._reader.join()
        return "\n".join(self.lines)


def run_measured(notes: int, arguments: Sequence[str]) -> Measured:
    """Run ``codeassist`` with ``arguments``; raises ``RuntimeError`` with its output when it fails."""
    started = time.monotonic()
    command = [sys.executable, "-m", "codeassist.cli", *arguments]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    resident = own = 0.0
    cpu: dict[int, float] = {}
    stages: dict[str, float] = {}
    told = _Told(process.stderr)
    while process.poll() is None:
        all_processes = [process, *_children(process)]
        held = [_memory(p) for p in all_processes]
        before, stage = sum(cpu.values()), told.lines[-1]
        cpu |= {p.pid: _cpu(p) or cpu.get(p.pid, 0.0) for p in all_processes}
        stages[stage] = stages.get(stage, 0.0) + sum(cpu.values()) - before
        resident = max(resident, sum(r for r, _ in held))
        own = max(own, sum(u for _, u in held))
        time.sleep(_EVERY)
    if process.returncode:
        raise RuntimeError(told.everything())
    seconds = time.monotonic() - started
    return Measured(notes, seconds, sum(cpu.values()), resident / 1e6, own / 1e6, stages=stages)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> tuple[int, int]:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0, 0
    return memory.rss, memory.uss


def extrapolate(measured: Sequence[Measured], notes: int) -> Measured:
    """What ``notes`` would take if the last two that were measured lie on a line, each stage by itself."""
    a, b = measured[-2:]

    def line(x: float, y: float) -> float:
        return y + (y - x) * (notes - b.notes) / (b.notes - a.notes)

    return Measured(
        notes,
        line(a.seconds, b.seconds),
        line(a.cpu_seconds, b.cpu_seconds),
        line(a.peak_resident, b.peak_resident),
        line(a.peak_own, b.peak_own),
        extrapolated=True,
        stages={s: line(a.stages.get(s, 0.0), seconds) for s, seconds in b.stages.items()},
    )


def render(measured: Sequence[Measured]) -> str:
    """The figures as a Markdown table, and those of the stages as another."""
    rows = [
        "| notes | seconds | CPU seconds | CPU ms a note | peak resident, MB | peak own, MB |",
        "|---|---|---|---|---|---|",
    ]
    for m in measured:
        marked = " (extrapolated)" if m.extrapolated else ""
        a_note = 1000 * m.cpu_seconds / m.notes
        rows.append(
            f"| {m.notes:,}{marked} | {m.seconds:.0f} | {m.cpu_seconds:.0f} | {a_note:.1f} | {m.peak_resident:.0f} | "
            f"{m.peak_own:.0f} |"
        )
    stages = dict.fromkeys(s for m in measured for s in m.stages)
    rows += ["", "| CPU seconds of | " + " | ".join(f"{m.notes:,}" for m in measured) + " |"]
    rows.append("|---|" + "---|" * len(measured))
    rows += [f"| {s} | " + " | ".join(f"{m.stages.get(s, 0.0):.0f}" for m in measured) + " |" for s in stages]
    return "\n".join(rows)


def plot(measured: Sequence[Measured], path: Path) -> None:
    """Time and memory over the number of notes, as SVG for light and dark pages."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "codeassist"
    from matplotlib import pyplot

    for name in DRAWN:
        mpl.rcParams[name] = GREY  # type: ignore[index]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4))
    for ax, of, title in ((left, "cpu_seconds", "CPU seconds"), (right, "peak_resident", "peak resident memory, MB")):
        for extrapolated, mark in ((False, "o-"), (True, "x")):
            mine = [m for m in measured if m.extrapolated == extrapolated]
            label = "extrapolated" if extrapolated else "measured"
            if mine:
                ax.plot([m.notes for m in mine], [asdict(m)[of] for m in mine], mark, label=label)
        ax.set_xscale("log")
        ax.set_yscale("log" if of == "cpu_seconds" else "linear")
        ax.set_xlabel("audited notes")
        ax.set_title(title)
        ax.margins(y=0.15)
        ax.set_ylim(bottom=None if of == "cpu_seconds" else 0)
        ax.grid(alpha=0.3)
        if any(m.extrapolated for m in measured):
            ax.legend(framealpha=0)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None}, transparent=True)
    pyplot.close(figure)
