#!/usr/bin/env python
"""Measures how fast one note is coded, as a table and as JSON: the ratios that `docs/performance.md` speaks of.

    .venv/bin/python tools/bench.py [NOTES.jsonl] [--rounds 7] [--out out/bench.json] [--quick]

Without NOTES the project's own evaluation notes are timed. All times are processor time of one thread and all bars
are ratios of one run, so that a busy machine and a fast one give about the same figures. What is compared is measured
in turns: the median of the rounds counts, and of the growth with length the best. ``--quick`` leaves out the texts of a
megabyte.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeassist import CodeAssistant, Note

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 3, 2)
WORST = {
    "headings": "Assessment:\nFamily History:\nPlan: \n",
    "inline headings": "pain. Assessment: gout. Plan: rest. ",
    "abbreviations": "HTN DM CHF MS COPD CKD RA ",
    "one word": "diabetes ",
    "one line": "left knee pain and right hip fracture with type 2 diabetes ",
    "commas": "knee pain, ",
    "one long word": ",",
    "dots": ". ",
    "blanks": " ",
    "cues": "no fever, denies possible family history of cough ",
    "signs": "fever (-) cough (+) ",
    "list numbers": "1. gout 2. asthma ",
    "numbers": "12 3.5 120/80 ",
    "codes": "E11.9 I10 99213 M54.50 ",
    "sides": "left right bilateral knee pain ",
    "courses": "diabetes is stable. hypertension worsening. ",
}
"""Texts that are hard for one component or another, each repeated as often as its size asks."""
_USS = "import psutil; print(psutil.Process().memory_full_info().uss)"
_IMPORTS = "import spacy, sklearn.ensemble, sklearn.isotonic, sklearn.linear_model, fastapi, sqlalchemy, uvicorn"
_LOADED = f"{_IMPORTS}\nimport codeassist\nkeep = codeassist.load()"


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured figure and the most that it may be."""

    name: str
    value: float
    most: float


def own_notes() -> list[str]:
    """The texts of the project's evaluation notes."""
    files = sorted((ROOT / "training" / "notes" / "evaluation").rglob("*.md"))
    return [file.read_text(encoding="utf-8").split("+++\n", 2)[2] for file in files]


def measure(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def per_note(texts: Sequence[str], rounds: int) -> tuple[list[Bar], dict[str, float]]:
    """How many times the bare tokenizer a note takes, and how far the slowest notes are from the median."""
    import spacy

    import codeassist

    bare, assistant = spacy.blank("en"), codeassist.load()
    notes = [codeassist.Note(id=str(i), text=text, date_of_service=DAY) for i, text in enumerate(texts)]
    for note in notes:
        bare(note.text)
        assistant.suggest(note)
    ratios, tokenizer, each = [], [], []
    for _ in range(rounds):
        tokenizer.append(measure(lambda: [bare(text) for text in texts]))
        times = [measure(lambda note=note: assistant.suggest(note)) for note in notes]  # type: ignore[misc]
        ratios.append(sum(times) / tokenizer[-1])
        each += [t / len(text.split()) for t, text in zip(times, texts, strict=True)]
    bars = [
        Bar("suggest, times the bare tokenizer", median(ratios), 10),
        Bar("99th percentile a word, times the median", sorted(each)[int(len(each) * 0.99)] / median(each), 4),
    ]
    words = sum(len(text.split()) for text in texts) / len(texts)
    facts = {"notes": len(texts), "words_per_note": words, "tokenizer_ms": 1e3 * min(tokenizer) / len(texts)}
    return bars, facts | {f"share_{stage}": share for stage, share in stages(assistant, notes).items()}


def stages(assistant: CodeAssistant, notes: Sequence[Note]) -> dict[str, float]:
    """The share of the time that each stage takes."""
    taken: Counter[str] = Counter()

    def keep(stage: str, begin: float, end: float) -> None:
        taken[stage] += end - begin

    assistant.observer = keep
    for note in notes:
        assistant.suggest(note)
    assistant.observer = None
    return {stage: seconds / taken.total() for stage, seconds in taken.items()}


def growth(texts: Sequence[str], small: int, large: int, rounds: int, names: Sequence[str]) -> list[Bar]:
    """Time of ``large`` characters over that of ``small`` ones: of real notes, and of each worst text. Each round reads
    as many characters of both kinds, the small texts before and after the large one, so that both meet the machine at
    the same speed; the best round counts."""
    import codeassist

    assistant = codeassist.load()
    real = "\n\n".join(texts) or " "
    sources = {"notes": real, **{name: WORST[name] for name in names}}
    times = large // small
    bars = []
    for name, source in sources.items():
        few, many = (
            codeassist.Note(id=name, text=("gout " + source * (size // len(source) + 1))[:size], date_of_service=DAY)
            for size in (small, large)
        )

        def half(note: Note = few) -> None:
            for _ in range(times // 2):
                assistant.suggest(note)

        def whole(note: Note = many) -> None:
            assistant.suggest(note)

        half()  # what is compiled or remembered at the first reading
        rounds_of = [(measure(half), measure(whole), measure(half)) for _ in range(rounds)]
        value = min(2 * (times // 2) * most / (before + after) for before, most, after in rounds_of)
        bars.append(Bar(f"{name}: {large // 1000} KB, times {small // 1000} KB", value, 1.2 * times))
    return bars


def processes(rounds: int) -> list[Bar]:
    """Time to load over that of importing spaCy and scikit-learn, and what a second process adds in memory."""

    def cpu(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def uss(code: str) -> float:
        run = subprocess.run([sys.executable, "-c", f"{code}\n{_USS}"], check=True, capture_output=True, text=True)
        return int(run.stdout) / 1e6

    load = median(cpu("import codeassist; codeassist.load()") / cpu("import spacy, sklearn") for _ in range(rounds))
    return [
        Bar("load in a new process, times importing spaCy and scikit-learn", load, 1.5),
        Bar("memory of a further process beyond its libraries, MB", uss(_LOADED) - uss(_IMPORTS), 60),
    ]


def main() -> int:
    """Prints the table, writes the JSON; 1 when a bar is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench.json")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    texts = own_notes()
    if chosen.notes is not None and chosen.notes.is_file():
        lines = chosen.notes.read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines if line.strip()]
    else:
        print("timed on the project's own evaluation notes: no other notes were given")
    bars, facts = per_note(texts, chosen.rounds)
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bars += [Bar("peak memory, MB", facts["peak_mb"], 450), *processes(7)]
    bars += growth(texts, 10_000, 100_000, 3, list(WORST))
    if not chosen.quick:
        bars += growth(texts, 100_000, 1_000_000, 3, list(WORST))
    width = max(len(bar.name) for bar in bars)
    for bar in bars:
        kept = "" if bar.value <= bar.most else "  NOT KEPT"
        print(f"{bar.name:{width}}  {bar.value:8.2f}  at most {bar.most:g}{kept}")
    print(
        "\n".join(
            f"{name.removeprefix('share_'):{width}}  {100 * share:6.1f} %  of the time"
            for name, share in facts.items()
            if name.startswith("share_")
        )
    )
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    record = {**facts, "bars": [asdict(bar) for bar in bars]}
    chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return int(any(bar.value > bar.most for bar in bars))


if __name__ == "__main__":
    raise SystemExit(main())
