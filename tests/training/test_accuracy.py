"""The accuracy report: figures by hand, figures of the scorer, what is missing, and what the page asks for."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from codeassist.result import Assertion, CodingResult, Evidence, ModelId, Suggestion, System
from training.accuracy import errors as accuracy_errors
from training.accuracy import figures as accuracy_figures
from training.accuracy.bars import Bar, Bars, MeasuredSet, read_bars, render, rows
from training.accuracy.errors import STAGES, confusions, counts_by_frequency, counts_by_group, group, stages
from training.accuracy.figures import Counts, count, evidence_hit, figures, mean_average_precision, recall_in_first
from training.accuracy.judging import Code, GoldNote, Judged, judge, read_gold
from training.accuracy.measuring import Measured, measure_all
from training.audited import audited_from_record

SHARED = Path(os.environ.get("CODEASSIST_SHARED") or Path(__file__).parents[3] / "shared")
SCORER = SHARED / "eval" / "score.py"
NOTES = (
    "family-medicine/evaluation-family-medicine-01",
    "urology/evaluation-urology-01",
    "dermatology/evaluation-dermatology-01",
    "hospital-medicine/evaluation-hospital-medicine-01",
    "orthopaedics/evaluation-orthopaedics-01",
    "emergency-medicine/evaluation-emergency-medicine-01",
)

# Two notes. Each suggestion: system, code, tier, probability, start and end of its evidence.
GOLD: list[dict[str, Any]] = [
    {
        "id": "a",
        "text": "x" * 60,
        "codes": [
            {"system": "icd-10-cm", "code": "E11.22", "evidence": [{"start": 0, "end": 5}], "core": True},
            {"system": "icd-10-cm", "code": "N18.31", "evidence": [{"start": 6, "end": 9}], "core": True},
            {"system": "icd-10-cm", "code": "I12.9", "core": True},
            {"system": "icd-10-cm", "code": "Z79.4", "core": False},
            {"system": "cpt", "code": "83036", "evidence": [{"start": 20, "end": 25}], "core": True},
        ],
    },
    {
        "id": "b",
        "text": "x" * 60,
        "codes": [
            {"system": "icd-10-cm", "code": "M25.562", "evidence": [{"start": 0, "end": 5}], "core": True},
            {"system": "icd-10-cm", "code": "W19.XXXA", "core": False},
        ],
    },
]
SUGGESTED: dict[str, list[tuple[System, str, str, float, int, int]]] = {
    "a": [
        ("icd-10-cm", "E11.22", "code", 0.9, 4, 8),  # right, evidence met
        ("icd-10-cm", "N18.30", "code", 0.8, 0, 5),  # false, but right at three characters
        ("cpt", "83036", "candidate", 0.7, 20, 25),  # right, below the threshold
        ("icd-10-cm", "N18.31", "candidate", 0.6, 6, 9),  # right, below the threshold
        ("icd-10-cm", "Z79.4", "code", 0.5, 0, 5),  # not core
    ],
    "b": [
        ("icd-10-cm", "M25.562", "code", 0.9, 10, 15),  # right, evidence elsewhere
        ("icd-10-cm", "W01.0XXA", "code", 0.4, 0, 5),  # not core
    ],
}


def suggested(name: str) -> CodingResult:
    found = tuple(
        Suggestion(system, code, "", p, rank, tier, (Evidence(start, end, "", "other", Assertion()),))  # type: ignore[arg-type]
        for rank, (system, code, tier, p, start, end) in enumerate(SUGGESTED[name], 1)
    )
    return CodingResult(name, "outpatient", date(2026, 3, 2), ModelId("m", "1", "0"), {}, found)


def judged(core: bool) -> list[Judged]:
    return [judge(g, suggested(g.audited.note.id), core) for g in gold()]


def gold() -> list[GoldNote]:
    optional = frozenset({("icd-10-cm", "Z794"), ("icd-10-cm", "W19XXXA")})
    return [GoldNote(audited_from_record(r), optional) for r in GOLD]


@pytest.mark.parametrize("module", [accuracy_figures, accuracy_errors])
def test_the_examples_of_the_docstrings(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_figures_by_hand() -> None:
    notes = judged(core=True)
    cm = [n.only(["icd-10-cm"]) for n in notes]
    assert count(cm) == Counts(right=2, false=1, missed=2)
    assert count(cm, 3) == Counts(right=3, false=0, missed=1)
    # a: E11.22 at 1 and N18.31 at 3, of three gold codes; b: its one code at 1
    assert mean_average_precision(cm) == pytest.approx(((1 + 2 / 3) / 3 + 1) / 2)
    assert recall_in_first(cm) == pytest.approx((2 / 3 + 1) / 2)
    assert recall_in_first(cm, first=2) == pytest.approx((1 / 3 + 1) / 2)
    assert evidence_hit(cm) == 0.5
    found = figures(notes)
    assert found["cm_f1"] == pytest.approx(4 / 7)
    assert found["procedures_recall_15"] == 1.0
    assert found["pcs_map"] is None and found["pcs_f1"] is None
    # one suggestion a bin but for .9: two there, both right
    assert found["calibration_error"] == pytest.approx((2 * 0.1 + 0.8 + 0.3 + 0.4) / 5)


def test_without_core_every_code_counts() -> None:
    assert count([n.only(["icd-10-cm"]) for n in judged(core=False)]) == Counts(right=3, false=2, missed=3)


def test_what_the_gold_marks_as_not_core_is_neither_required_nor_wrong() -> None:
    marked = GoldNote(gold()[0].audited, frozenset({("icd-10-cm", "E1122"), ("icd-10-cm", "I129")}))
    note = judge(marked, suggested("a"), core=True)
    assert count([note.only(["icd-10-cm"])]) == Counts(right=0, false=1, missed=1)


@pytest.mark.skipif(not SCORER.is_file(), reason="needs the scorer of the shared folder (CODEASSIST_SHARED)")
@pytest.mark.parametrize("core", [False, True])
@pytest.mark.parametrize("system", ["icd-10-cm", "cpt"])
def test_the_figures_are_those_of_the_scorer(tmp_path: Path, system: str, core: bool) -> None:
    truth, predicted = tmp_path / "gold.jsonl", tmp_path / "predicted.jsonl"
    truth.write_text("".join(json.dumps(r) + "\n" for r in GOLD), encoding="utf-8")
    predicted.write_text("".join(json.dumps(suggested(n).as_record()) + "\n" for n in SUGGESTED), encoding="utf-8")
    command = [sys.executable, str(SCORER), str(truth), str(predicted), "--system", system, "--json"]
    done = subprocess.run([*command, *(["--core"] if core else [])], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout)
    ours = [judge(g, suggested(g.audited.note.id), core).only([system]) for g in read_gold(truth)]
    exact, short = count(ours), count(ours, 3)
    assert (exact.precision, exact.recall, exact.f1) == pytest.approx(
        (theirs["precision"], theirs["recall"], theirs["f1"])
    )
    assert short.f1 == pytest.approx(theirs["3-char"]["f1"])
    assert mean_average_precision(ours) == pytest.approx(theirs["MAP"])
    assert recall_in_first(ours) == pytest.approx(theirs["R@15"])
    assert evidence_hit(ours) == (None if theirs["evidence_hit"] is None else pytest.approx(theirs["evidence_hit"]))


@pytest.mark.parametrize(
    ("key", "name"),
    [("A000", "Infections"), ("C4A9", "Neoplasms"), ("D3A00", "Neoplasms"), ("D500", "Blood"), ("H5989", "Eye"),
     ("H6000", "Ear"), ("O9A119", "Pregnancy"), ("T889XXS", "Injuries"), ("U071", "Special purposes"),
     ("Y99", "External causes"), ("Z3A00", "Factors")],
)  # fmt: skip
def test_the_chapter_of_a_code(key: str, name: str) -> None:
    assert group(("icd-10-cm", key)) == name


def test_where_the_errors_lie() -> None:
    notes = judged(core=True)
    known: Code = ("icd-10-cm", "I129")
    assert stages(notes[0], frozenset()) == {
        ("icd-10-cm", "N1831"): STAGES[2],
        known: STAGES[0],
        ("cpt", "83036"): STAGES[2],
    }
    assert stages(notes[0], frozenset({known}))[known] == STAGES[1]
    assert confusions(notes, 5) == [("icd-10-cm", "N1831", "N1830", 1)]
    assert counts_by_group(notes) == {
        "Endocrine": Counts(1, 0, 0),
        "Circulatory": Counts(0, 0, 1),
        "Musculoskeletal": Counts(1, 0, 0),
        "Genitourinary": Counts(0, 1, 1),
        "CPT": Counts(0, 0, 1),
    }
    seen = counts_by_frequency(notes, {("icd-10-cm", "E1122"): 12, ("icd-10-cm", "N1831"): 1})
    assert seen["10 to 19"] == Counts(1, 0, 0)
    assert seen["1"] == Counts(0, 0, 1)
    assert seen["0"] == Counts(1, 1, 2)


def test_the_verdicts() -> None:
    sets = {n: MeasuredSet(n, n.upper(), "notes", shared=f"{n}.jsonl") for n in ("here", "gone")}
    lines = (Bar("here", "up", 0.5), Bar("here", "down", None, 0.05), Bar("here", "free"), Bar("here", "none", 0.5),
             Bar("gone", "up", 0.5))  # fmt: skip
    bars = Bars(sets, {"up": "up", "down": "down", "free": "free", "none": "none"}, lines)
    reached = {("here", "up"): 0.4375, ("here", "down"): 0.04, ("here", "free"): 0.2, ("here", "none"): None}
    table = rows(bars, reached, {"gone": "there is no gone.jsonl in the shared folder"})
    assert [r.verdict for r in table] == [
        "not met, 0.0625 too low",
        "met",
        "",
        "nothing to measure it on",
        "missing: there is no gone.jsonl in the shared folder",
    ]
    assert "| GONE " in render(table) and len({len(line) for line in render(table).splitlines()}) == 1


def test_every_bar_has_a_set_and_a_title_and_every_set_one_place() -> None:
    bars = read_bars()
    assert {b.set for b in bars.bars} == set(bars.sets)
    assert {b.measure for b in bars.bars} == set(bars.measures)
    assert all(b.at_least is None or b.at_most is None for b in bars.bars)
    assert all((s.shared is None) != (s.checkout is None) for s in bars.sets.values())


class _Addresses(HTMLParser):
    """Everything that a page would fetch or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object")
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        if tag == "img":
            self.images.append(dict(attrs))


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with six of the evaluation notes, two assertion cases and one term that can't be right."""
    here = tmp_path_factory.mktemp("checkout")
    for name in NOTES:
        target = here / "training" / "notes" / "evaluation" / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "training" / "notes" / "evaluation" / f"{name}.md", target)
    for name, text in {
        "nlp/assertion_cases.tsv": "# cases\nsentence\tstatus\ttopic\nDenies [[cough]].\tnegated\t-\n"
        "Has [[asthma]].\tpresent\t-\n",
        "terminology/measured_terms.tsv": "term\tcode\tkind\nHTN\tI10\tname\n<b>gout</b>\tI10\tname\n",
    }.items():
        file = here / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return here


@pytest.fixture(scope="module")
def measured(checkout: Path) -> Measured:
    return measure_all(read_bars(), checkout / "no-shared-folder", checkout=checkout)


def test_what_is_missing_is_named_and_the_rest_measured(measured: Measured) -> None:
    bars = read_bars()
    table = rows(bars, measured.reached, measured.missing)
    assert set(measured.missing) == {"codiesp", "visits", "transcriptions"}
    text = render(table)
    assert len(text.splitlines()) == len(bars.bars) + 2
    for name in measured.missing:
        assert f"missing: there is no {bars.sets[name].shared} in the shared folder" in text
    assert measured.reached["assertion", "negation_f1"] == 1.0
    assert measured.reached["terms", "first_right"] == 0.5
    assert len(measured.judged["evaluation"].notes) == len(NOTES)
    assert 0.2 < (measured.reached["evaluation", "cm_f1"] or 0) <= 1


def test_a_corpus_whose_model_is_missing_is_named(tmp_path: Path, checkout: Path) -> None:
    shared = tmp_path / "data" / "corpora"
    shared.mkdir(parents=True)
    (shared / "codiesp_dev.jsonl").write_text("", encoding="utf-8")
    found = read_bars()
    only = Bars({"codiesp": found.sets["codiesp"]}, found.measures, found.bars)
    missing = measure_all(only, tmp_path, checkout=checkout).missing
    assert missing == {"codiesp": "no model was trained on data/corpora/codiesp_train.jsonl"}


def test_the_report_asks_nothing_of_a_network_and_holds_no_text_of_notes(
    measured: Measured, checkout: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the report needs the extra 'report'")
    from training.accuracy.report import write_report

    bars = read_bars()
    page = write_report(tmp_path / "report", bars, rows(bars, measured.reached, measured.missing), measured)
    text = page.read_text(encoding="utf-8")
    addresses = _Addresses()
    addresses.feed(text)
    assert text.count("<svg ") == 6 and text.count("<figcaption>") == 6 and not addresses.images
    assert all(address.startswith("#") for address in addresses.found)
    assert "default-src 'none'" in text and "@import" not in text and not re.search(r"url\((?!#)", text)
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))
    assert "<b>gout" not in text and "&lt;b&gt;gout" in text
    for note in read_gold(checkout / "training" / "notes" / "evaluation"):
        lines = [line.strip() for line in note.audited.note.text.splitlines() if len(line.strip()) > 30]
        assert lines and not [line for line in lines if line in text]
    assert json.loads((page.parent / "figures.json").read_text(encoding="utf-8"))["terms.first_right"] == 0.5
