"""Guards of speed that hold on any machine: ratios of processor time within one run, never a time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_TIMES_THE_TOKENIZER = 16
"""The bar is 10; the rest is room for a busy machine, whose caches others use."""


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("codeassist_bench", ROOT / "tools" / "bench.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_note_takes_few_times_the_bare_tokenizer(bench: ModuleType) -> None:
    bars, facts = bench.per_note(bench.own_notes(), 4)
    assert facts["notes"] >= 50
    assert bars[0].value <= MOST_TIMES_THE_TOKENIZER


def test_time_grows_with_the_length_of_the_worst_texts(bench: ModuleType) -> None:
    bars = bench.growth(bench.own_notes(), 20_000, 200_000, 3, list(bench.WORST))
    slow = {bar.name: round(bar.value, 1) for bar in bars if bar.value > 16}
    assert not slow, f"10 times the text takes more than 16 times as long: {slow}"
