"""The evaluation: figures by hand, honest coverage, intervals that follow the patients, and what the report holds."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import metrics
from training.accuracy.judging import Judged, Ranked
from training.evaluation import significance, unattended
from training.evaluation.bootstrap import Bootstrap
from training.evaluation.parts import macro
from training.evaluation.significance import mcnemar
from training.evaluation.unattended import code_coverage, note_coverage
from training.metrics import ancestors, counted, measures, note_sums


def judged(gold: str, *ranked: tuple[str, float, bool]) -> Judged:
    codes = frozenset(("icd-10-cm", c) for c in gold.split())
    return Judged(codes, tuple(Ranked(("icd-10-cm", c), p, t, ("icd-10-cm", c) in codes) for c, p, t in ranked))


def test_every_measure_by_hand() -> None:
    note = judged("E1122 N1831 I129", ("E1122", 0.9, True), ("I10", 0.8, True), ("N1831", 0.4, False))
    found = measures(note_sums(note))
    assert found["precision"] == 0.5 and found["recall"] == pytest.approx(1 / 3)
    assert found["map"] == pytest.approx((1 + 2 / 3) / 3)
    assert found["r_precision"] == pytest.approx(2 / 3)  # three gold codes: of the first three two are right
    assert found["precision_at_1"] == 1 and found["precision_at_5"] == pytest.approx(2 / 5)
    assert found["recall_at_1"] == pytest.approx(1 / 3) and found["recall_at_3"] == pytest.approx(2 / 3)
    # coded with what is above: E11, E112, E1122, I10; gold: E11, E112, E1122, N18, N183, N1831, I12, I129
    assert found["precision_hierarchical"] == pytest.approx(3 / 4)
    assert found["recall_hierarchical"] == pytest.approx(3 / 8)
    assert found["brier"] == pytest.approx((0.01 + 0.64 + 0.36) / 3)
    assert found["calibration_error"] == pytest.approx((0.1 + 0.8 + 0.6) / 3)


@given(st.text("ABCDEFGHX0123456789", min_size=3, max_size=7))
def test_a_code_is_its_own_ancestor_and_no_placeholder_is(key: str) -> None:
    above = {k for _, k in ancestors(("icd-10-cm", key))}
    assert key in above and key[:3] in above
    assert all(key.startswith(k) for k in above)
    assert not [k for k in above - {key} if len(k) > 3 and k.endswith("X")]


def test_macro_counts_each_code_the_same() -> None:
    notes = [judged("E119", ("E119", 0.9, True))] * 9 + [judged("I10", ("E119", 0.9, True))]
    found = macro(notes, Bootstrap(np.arange(10)))
    assert found["macro_recall"].value == 0.5 and found["macro_precision"].value == pytest.approx(0.45)
    assert found["macro_f1"].low <= found["macro_f1"].value <= found["macro_f1"].high


def test_intervals_are_wider_where_notes_share_a_patient() -> None:
    rng = np.random.default_rng(3)
    good = np.repeat(rng.random(20) < 0.5, 10)
    rows = np.column_stack([good, np.ones(200), np.ones(200)]).astype(float)
    alone, shared = (
        Bootstrap(patients).intervals(rows, counted)["f1"]
        for patients in (np.arange(200), np.repeat(np.arange(20), 10))
    )
    assert alone.value == shared.value
    assert shared.high - shared.low > 2 * (alone.high - alone.low)
    # the standard error of the mean of 20 patients
    error = float(np.sqrt(good.mean() * (1 - good.mean()) / 20))
    assert shared.high - shared.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_coverage_is_measured_on_other_patients_than_its_threshold() -> None:
    """Calibrated suggestions: above .95 on average lie about 10 % of them; noise does not lead to coverage."""
    rng = np.random.default_rng(5)
    chance = rng.random(4000)
    notes = [judged("A00" if rng.random() < p else "B00", ("A00", float(p), p > 0.5)) for p in chance]
    found = code_coverage(notes, np.arange(4000))
    assert found.precision == pytest.approx(0.95, abs=0.03)
    assert found.threshold == pytest.approx(0.9, abs=0.03) and found.covered == pytest.approx(400, abs=80)
    noise = [judged("A00" if rng.random() < 0.5 else "B00", ("A00", float(p), True)) for p in chance]
    assert code_coverage(noise, np.arange(4000)).share < 0.02
    assert note_coverage(noise, np.arange(4000)).share < 0.02


def test_coverage_of_nothing() -> None:
    found = code_coverage([judged("A00")], np.arange(1))
    assert (found.covered, found.precision, found.threshold) == (0, None, None)
    assert note_coverage([], np.zeros(0, dtype=np.int64)).share == 0


def test_mcnemar_counts_false_codes_as_well_as_missed_ones() -> None:
    first = [judged("A00", ("A00", 0.9, True), ("B00", 0.9, True))] * 4
    second = [judged("A00", ("A00", 0.9, True))] * 4
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second, found.p) == (0, 4, 0.125)


@pytest.mark.parametrize("module", [metrics, unattended, significance])
def test_the_examples_of_evaluation(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_report(run: Any, root: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the report needs the extra 'report'")
    texts = ("Assessment: Type 2 diabetes. Hypertension.", "Assessment: Gout of the left knee, Zebedee's.")
    codes = (("E11.9", "I10"), ("M10.9",))
    records = [
        {
            "id": f"n{i}",
            "text": texts[i % 2],
            "setting": "outpatient",
            "specialty": "<b>clinic</b>",
            "patient": {"id": f"p{i % 4}"},
            "coder": ("ann", "bea")[i % 2],
            "date_of_service": "2026-03-02",
            "codes": [{"system": "icd-10-cm", "code": c} for c in codes[i % 2]],
        }
        for i in range(12)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    done = run(
        *("evaluate", "--model", str(root / "models"), "--audited", "a.jsonl"),
        *("--report", "out", "--against", "shipped"),
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert record["patients"] == 4 and record["notes"] == 12
    assert set(record["parts"]) >= {"frequency", "chapter", "setting", "specialty", "coder"}
    assert record["parts"]["coder"]["ann"]["notes"] == 6
    low, high = record["intervals"]["icd-10-cm"]["f1"]
    assert low <= record["icd-10-cm"]["f1"] <= high
    assert record["against"]["mcnemar"]["icd-10-cm"]["p"] == 1
    assert record["against"]["systems"]["icd-10-cm"]["f1"]["verdict"] == "open"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Zebedee" not in page and "<b>clinic" not in page and "&lt;b&gt;clinic" in page
    assert page.count("<svg ") >= 9 and not re.search(r"<(script|link|img|iframe)|https?://(?!www\.w3\.org)", page)
    assert "prefers-color-scheme: dark" in page
    card = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| f1 |" in card and "Against shipped" in card


def test_a_release_measured_on_what_it_was_trained_on_is_told(run: Any, root: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(root / "models", tmp_path / "model")
    (tmp_path / "a.jsonl").write_text(
        '{"text": "Gout.", "date_of_service": "2026-03-02", "codes": [{"system": "icd-10-cm", "code": "M10.9"}]}\n',
        encoding="utf-8",
    )
    from training.fingerprint import data_record

    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text(encoding="utf-8"))
    manifest["data"] = [data_record(tmp_path / "a.jsonl", "ours")]
    (tmp_path / "model" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = run("evaluate", "--model", "model", "--audited", "a.jsonl")
    assert done.returncode == 0 and b"trained on these notes" in done.stderr
