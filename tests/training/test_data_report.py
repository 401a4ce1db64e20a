"""The data report: every kind of problem at its place, duplicates at scale, and label errors that were put in."""

from __future__ import annotations

import dataclasses
import doctest
import io
import json
import os
import random
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeassist.errors import InputError
from codeassist.terminology.store import Store
from training.audited import AuditedNote, read_audited
from training.data_report import labels as labels_module
from training.data_report import personal as personal_module
from training.data_report import problems as problems_module
from training.data_report.duplicates import find_pairs
from training.data_report.labels import likely_errors
from training.data_report.personal import find_personal
from training.data_report.problems import KINDS, Problem
from training.data_report.report import Report, make_report, render
from training.data_report.spool import Problems

LONG = (
    "Mr Test Patient came for follow-up of his blood pressure, which has been well controlled at home on lisinopril. "
    "He walks two miles a day, sleeps well, does not smoke, and has lost four pounds since the last visit in spring. "
    "Examination of the heart and lungs is normal, there is no swelling of the ankles. Potassium and creatinine are "
    "normal. Assessment: hypertension, at goal. Plan: same dose, come back in six months with laboratory results."
)
Write = Callable[..., Path]


def record(id: str, text: str = "Assessment: gout.", codes: Sequence[Any] = ("M10.9",), **more: Any) -> dict[str, Any]:
    listed = [c if isinstance(c, dict) else {"system": "icd-10-cm", "code": c} for c in codes]
    return {"id": id, "text": text, "date_of_service": "2026-03-02", "codes": listed, **more}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(*records: dict[str, Any] | str, name: str = "site.jsonl") -> Path:
        lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path / name

    return written


def report_on(store: Store, *paths: Path, test: Sequence[Path] = (), labels: int = 0) -> Report:
    return make_report(paths, test, store, labels)


def written(report: Report) -> str:
    out = io.StringIO()
    report.write(out)
    return out.getvalue()


def found(report: Report, kind: str) -> list[Problem]:
    return [p for p in report.problems if p.kind == kind]


def at(report: Report, kind: str) -> list[tuple[str, int]]:
    return [(p.file, p.line) for p in found(report, kind)]


def test_counts(store: Store, write: Write) -> None:
    report = report_on(
        store,
        write(
            record("a", coder="anna", specialty="cardiology"),
            record("b", "HTN and gout.", ("I10", "M10.9", {"system": "cpt", "code": "99213"}), setting="inpatient"),
        ),
        test=[write(record("t", "Cough."), name="test.jsonl")],
    )
    train, test = report.counts["train"], report.counts["test"]
    assert (train["notes"], train["codes"], train["different_codes"], test["notes"]) == (2, 4, 3, 1)
    assert train["codes_by_system"] == {"icd-10-cm": 3, "cpt": 1}
    assert train["notes_by_setting"] == {"inpatient": 1, "outpatient": 1}
    assert train["notes_by_coder"] == {"anna": 1, "not given": 1}
    assert train["notes_by_specialty"] == {"cardiology": 1, "not given": 1}


def test_what_can_not_be_read_is_told_and_the_rest_goes_on(store: Store, write: Write) -> None:
    report = report_on(
        store,
        write(
            "{",
            record("a"),
            "[]",
            "",
            record("b", codes=[{"system": "icd-9", "code": "1"}]),
            {"id": "c", "text": "x", "codes": "M10.9"},
            record("d", codes=[{"system": "icd-10-cm", "code": "M10.9", "evidence": [{"from": 1}]}]),
            record("e", date_of_service="yesterday"),
            record("f", codes=["M10.9"], rejected=["M10.9"]),
        ),
    )
    assert at(report, "unreadable") == [("site.jsonl", n) for n in (1, 3, 5, 6, 7, 8, 9)]
    assert report.counts["train"]["notes"] == 1 and report.errors == 7


def test_codes_on_their_date(store: Store, write: Write) -> None:
    report = report_on(
        store,
        write(
            record("ended", codes=["I47.1"], date_of_service="2024-03-02"),
            record("late", codes=["I47.1"]),
            record("early", codes=["I47.10"], date_of_service="2022-11-02"),
            record("category", codes=["E11"]),
            record("unknown", codes=["Q99.99", {"system": "cpt", "code": "00001"}]),
            record("long ago", date_of_service="2012-03-02"),
            record("none", codes=[]),
            record("twice", codes=["M10.9", "m109"]),
            record("empty", text="  "),
        ),
    )
    ended = {p.note: p.message for p in found(report, "invalid-date")}
    assert ended["late"].startswith(
        "icd-10-cm I47.1 is not valid on 2026-03-02: it ended on 2023-09-30; it became I47.10"
    )
    assert ended["early"] == "icd-10-cm I47.10 is not valid yet on 2022-11-02: it began on 2023-10-01"
    assert list(ended) == ["ended", "late", "early"]
    assert [p.note for p in found(report, "category")] == ["category"]
    assert [p.note for p in found(report, "unknown-code")] == ["unknown"] == [p.note for p in found(report, "not-held")]
    assert [p.note for p in found(report, "not-covered")] == ["long ago"]
    assert [p.note for p in found(report, "no-codes")] == ["none"]
    assert [p.note for p in found(report, "repeated-code")] == ["twice"]
    assert [p.note for p in found(report, "empty")] == ["empty"]


def test_codes_with_one_example_count_training_notes_only(store: Store, write: Write) -> None:
    report = report_on(
        store,
        write(record("a"), record("b", "Gout again.", ("M10.9", "I10"))),
        test=[write(record("t", "HTN.", ("I10", "E11.9")), name="test.jsonl")],
    )
    assert [(p.note, p.message) for p in found(report, "one-example")] == [("b", "no other note has icd-10-cm I10")]


def test_evidence(store: Store, write: Write) -> None:
    def coded(*spans: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"system": "icd-10-cm", "code": "M10.9", "evidence": list(spans)}]

    documents = [{"id": "one", "text": "Gout."}, {"id": "two", "text": "Assessment: gout of the knee."}]
    encounter = {**record("g", codes=coded({"start": 12, "end": 16, "document": "two"})), "documents": documents}
    wrong = {**encounter, "id": "h", "codes": coded({"start": 0, "end": 4, "document": "three"})}
    for r in (encounter, wrong):
        del r["text"]
    report = report_on(
        store,
        write(
            record("a", codes=coded({"start": 12, "end": 16, "text": "gout"})),
            record("b", codes=coded({"start": 12, "end": 99})),
            record("c", codes=coded({"start": -3, "end": 2})),
            record("d", codes=coded({"start": 16, "end": 12})),
            record("e", codes=coded({"start": 0, "end": 4, "text": "gout"})),
            record("f", codes=coded({"start": 11, "end": 12})),
            encounter,
            wrong,
        ),
    )
    assert [p.note for p in found(report, "evidence")] == ["b", "c", "d", "e", "f", "h"]
    assert not any("gout" in p.message for p in found(report, "evidence"))


def test_duplicates_conflicts_and_leaks(store: Store, write: Write) -> None:
    nearly = LONG.replace("four pounds", "five pounds")
    half = LONG[: len(LONG) // 2] + " ".join(f"word{i}" for i in range(60))
    report = report_on(
        store,
        write(
            record("a", LONG, ["I10"], coder="anna"),
            record("b", LONG.upper() + " \n", ["I10", "E11.9"], coder="ben"),
            record("c", nearly, ["I10"]),
            record("d", half, ["I10"]),
        ),
        test=[write(record("t", LONG.replace("spring", "autumn"), ["I10"]), record("u", "Cough."), name="test.jsonl")],
    )
    assert [p.note for p in found(report, "duplicate")] == ["b"]
    assert [p.note for p in found(report, "near-duplicate")] == ["c"]
    (leak,) = found(report, "leak")
    assert (leak.file, leak.line, leak.note, leak.level) == ("test.jsonl", 1, "t", "error")
    (conflict,) = found(report, "conflict")
    assert conflict.note == "b" and "(coders ben and anna); only here: E11.9" in conflict.message


def test_near_duplicates_are_found_at_scale() -> None:
    chance = random.Random(3)
    vocabulary = [f"word{i}" for i in range(5000)]
    texts = [" ".join(chance.choices(vocabulary, k=120)) for _ in range(4000)]
    originals = chance.sample(range(4000), 200)
    for i in originals:
        words = texts[i].split()
        words[chance.randrange(120)] = "changed"
        texts.append(" ".join(words))
    texts += [texts[0]] * 2000  # a template, used again and again
    started = time.monotonic()
    pairs = {p.note: p for p in find_pairs(texts)}
    seconds = time.monotonic() - started
    print(f"{len(texts)} texts in {seconds:.1f} s")
    assert all(pairs[4000 + k].like == i for k, i in enumerate(originals))
    assert len(pairs) == 2200
    assert seconds < 60


def test_texts_are_not_kept(store: Store, write: Write) -> None:
    """Memory may grow with the number of notes by what their places take, not by their texts."""

    def peak(count: int) -> int:
        path = write(*(record(f"n{i}", f"Gout {i}. " + "word " * 2000 + str(i)) for i in range(count)))
        tracemalloc.start()
        report = report_on(store, path)
        assert report.counts["train"]["notes"] == count
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is read once
    assert peak(45) - peak(5) < 40 * 4000  # of 10,000 characters each


def test_problems_come_back_in_the_order_of_the_report() -> None:
    problems = Problems()
    problems.append(Problem("likely-wrong", "b", 1, "x", "second", 0.5))
    problems.append(Problem("name", "b", 10, "x", "b 10"))
    problems.extend([Problem("name", "b", 9, "x", "b 9"), Problem("name", "a", 11, "x", "a 11")])
    problems.append(Problem("likely-wrong", "c", 9, "x", "first", 0.7))
    problems.append(Problem("unreadable", "z", 1, "", "worst"))
    assert [p.message for p in problems] == ["worst", "a 11", "b 9", "b 10", "first", "second"]
    assert [p.message for p in problems.of("name", 2)] == ["a 11", "b 9"] and len(problems) == 6
    assert next(problems.of("likely-wrong")) == Problem("likely-wrong", "c", 9, "x", "first", 0.7)


def test_labels_of_a_sample_are_examined_and_the_report_says_so(store: Store, write: Write) -> None:
    path = write(*(record(f"n{i}", f"Gout of toe {i}. No HTN.", ("M10.9",)) for i in range(50)))
    report = report_on(store, path, labels=31)
    assert (report.examined, report.examinable) == (31, 50)
    assert "labels examined: those of 31 notes, drawn by chance from 50" in list(render(report))
    assert json.loads(written(report))["labels_examinable"] == 50


PERSONAL = [
    ("DOB: 03/04/1961", "date of birth"),
    ("Date of birth 1961-03-04", "date of birth"),
    ("born on March 4, 1961", "date of birth"),
    ("SSN 123-45-6789", "social security number"),
    ("MRN: 00123456", "record number"),
    ("Medical record number A-4711234", "record number"),
    ("write to jane.doe@example.org", "e-mail address"),
    ("call (212) 555-0100", "telephone number"),
    ("call 212-555-0100", "telephone number"),
    ("Mr. O'Brien said", None),
    ("Dr. Okafor will see her", "name"),
    ("Patient: Jane Miller", "name"),
    ("seen on 03/04/2026", None),
    ("BP 120-80-75, 3-12-1", None),
    ("G2P1 at 212-555", None),
    ("CPT 99213-25, dose 100-200 mg", None),
    ("Dr. to call back", None),
    ("chart reviewed", None),
]


@pytest.mark.parametrize(("text", "what"), PERSONAL)
def test_personal_data(text: str, what: str | None) -> None:
    assert [f.what for f in find_personal(text)] == ([what] if what else [])


def test_personal_data_is_listed_by_line_and_not_quoted_whole(store: Store, write: Write) -> None:
    report = report_on(store, write(record("a"), record("b", "Gout.\nSSN 123-45-6789\nSeen with Dr. Okafor.")))
    (number,) = found(report, "personal-data")
    (name,) = found(report, "name")
    assert (number.line, name.line) == (2, 2) and "line 2 of its text" in number.message and "line 3" in name.message
    text = written(report) + "\n".join(render(report))
    assert "123-45" not in text and "Okafor" not in text


def test_note_files_are_told_by_their_own_lines(store: Store, tmp_path: Path) -> None:
    head = '+++\nid = "x"\ndate_of_service = 2026-03-02\n\n[[codes]]\nsystem = "icd-10-cm"\ncode = "E11"\n'
    (tmp_path / "one.md").write_text(f"{head}+++\nDiabetes.\nCall 212-555-0100.\n", encoding="utf-8")
    (tmp_path / "two.md").write_text(f'{head}evidence = ["gout"]\n+++\nDiabetes.\n', encoding="utf-8")
    (tmp_path / "three.md").write_text("Diabetes.\n", encoding="utf-8")
    report = report_on(store, tmp_path)
    assert at(report, "category") == [("one.md", 7)]
    assert at(report, "personal-data") == [("one.md", 10)]
    assert at(report, "evidence") == [("two.md", 1)] and "gout" not in found(report, "evidence")[0].message
    assert at(report, "unreadable") == [("three.md", 1)]


def test_csv(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text(
        "id,text,setting,date_of_service,coder,age,sex,codes\n"
        'a,"Gout,\nleft knee",outpatient,2026-03-02,anna,61,M,icd-10-cm:M10.9; cpt:99213\n'
        "b,HTN,,2026-03-02,,old,,icd-10-cm:I10\n"
        "c,HTN,,2026-03-02,,,,I10\n"
        "d,HTN,,2026-03-02,,,,icd-10-cm:E11\n"
        "e,HTN,,2026-03-02,,,,icd-10-cm:I10,more\n",
        encoding="utf-8",
    )
    report = report_on(store, path)
    assert at(report, "unreadable") == [("site.csv", 4), ("site.csv", 5), ("site.csv", 7)]
    assert at(report, "category") == [("site.csv", 6)]
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:3]) + "\n", encoding="utf-8")
    (note,) = read_audited(path)
    assert note.note.text == "Gout,\nleft knee" and note.note.patient.age == 61 and note.note.patient.sex == "M"
    assert [(c.system, c.key) for c in note.codes] == [("icd-10-cm", "M109"), ("cpt", "99213")]
    path.write_text("id,note\na,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column text"):
        list(read_audited(path))


def test_the_command(run: Any, write: Write, tmp_path: Path) -> None:
    bad = write(record("a", codes=["E11"]))
    good = write(record("a"), record("b", "Gout of the knee."), name="good.jsonl")
    done = run("data-report", "--audited", str(bad), "--strict", "--out", "out")
    assert done.returncode == 1 and b"site.jsonl:1 (a) icd-10-cm E11 is a category" in done.stdout
    written = json.loads((tmp_path / "out" / "data-report.json").read_text(encoding="utf-8"))
    assert written["errors"] == 1 and written["problems"][0]["line"] == 1
    assert (tmp_path / "out" / "data-report.txt").read_text(encoding="utf-8").startswith("train: 1 notes")
    done = run("data-report", "--audited", str(good), "--strict", "--format", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["errors"] == 0
    assert run("data-report", "--audited", str(tmp_path / "none.jsonl")).returncode == 2


def test_every_kind_has_a_level_and_a_title() -> None:
    assert {level for level, _ in KINDS.values()} == {"error", "warning", "info"}
    for module in (personal_module, problems_module):
        assert doctest.testmod(module).failed == 0


# -- label errors ------------------------------------------------------------------------------------------------------


def poison(notes: Sequence[AuditedNote], seed: int, share: float = 0.05) -> tuple[list[AuditedNote], set[Any]]:
    """Exchange the codes of ``share`` of all labels with each other, within their systems; the labels that are wrong
    now come back with the notes."""
    rng = np.random.default_rng(seed)
    flat = [(i, j, c.system, c.key) for i, n in enumerate(notes) for j, c in enumerate(n.codes)]
    by_system: dict[str, list[int]] = {}
    for k in rng.choice(len(flat), int(len(flat) * share), replace=False).tolist():
        by_system.setdefault(flat[k][2], []).append(k)
    new = {}
    for chosen in by_system.values():
        for k, m in zip(chosen, rng.permutation(chosen).tolist(), strict=True):
            new[flat[k][:2]] = flat[m][3]
    out, wrong = [], set()
    for i, note in enumerate(notes):
        own = {c.key for c in note.codes}
        codes = list(note.codes)
        for j, c in enumerate(note.codes):
            if new.get((i, j), c.key) not in own:
                codes[j] = dataclasses.replace(c, key=new[i, j])
                wrong.add((i, j))
        out.append(dataclasses.replace(note, codes=tuple(codes)))
    return out, wrong


SHARED = Path(os.environ.get("CODEASSIST_SHARED") or Path(__file__).parents[3] / "shared")
CODIESP = SHARED / "data" / "corpora" / "codiesp_train.jsonl"


@pytest.mark.slow
def test_labels_that_were_shuffled_are_found(store: Store, root: Path) -> None:
    finds_shuffled(root / "training" / "notes" / "audited", store)


needs_codiesp = pytest.mark.skipif(
    not CODIESP.is_file(), reason="needs CodiEsp's notes in the shared folder (CODEASSIST_SHARED)"
)


@pytest.mark.bars
@needs_codiesp
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_labels_of_codiesp_that_were_shuffled_are_found(store: Store, seed: int) -> None:
    finds_shuffled(CODIESP, store, seed)


@pytest.mark.bars
@needs_codiesp
def test_cleanlab_over_the_same_probabilities_does_not_reach_the_bar(store: Store) -> None:
    """Why the report has a ranking of its own: most codes are rare, so their probability is low, right or wrong."""
    filters = pytest.importorskip("cleanlab.multilabel_classification.filter")
    notes, wrong = poison(list(read_audited(CODIESP)), seed=4)
    support, _ = labels_module._probabilities(notes, store, 4, lambda stage, done, total: None)
    names = sorted({(c.system, c.key) for n in notes for c in n.codes})
    number = {name: k for k, name in enumerate(names)}
    given = [sorted({number[c.system, c.key] for c in n.codes}) for n in notes]
    chance = np.full((len(notes), len(names)), 1e-4)
    for i, s in enumerate(support):
        for code, p in s.probability.items():
            if code in number:
                chance[i, number[code]] = p
    moved = {(i, number[notes[i].codes[j].system, notes[i].codes[j].key]) for i, j in wrong}
    least = sorted((chance[i, k], i, k) for i, codes in enumerate(given) for k in codes)[: len(moved)]
    right = sum((i, k) in moved for _, i, k in least)
    print(f"the {len(least)} codes of the least probability: {right / len(least):.2f} were moved")
    for way in ("prune_by_noise_rate", "confident_learning"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each rare code
            issues = filters.find_multilabel_issues_per_class(given, chance, filter_by=way, n_jobs=1)
        listed = {(i, k) for i, codes in enumerate(given) for k in codes if issues[i, k]}
        precision, recall = len(listed & moved) / len(listed), len(listed & moved) / len(moved)
        print(f"{way}: {len(listed)} listed, precision {precision:.2f}, recall {recall:.2f}")
        assert precision < 0.6


def finds_shuffled(audited: Path, store: Store, seed: int = 1) -> None:
    notes, wrong = poison(list(read_audited(audited)), seed)
    listed, missing = likely_errors(notes, store, seed)
    right = sum((w.note, w.code) in wrong for w in listed)
    precision, recall = right / len(listed), right / len(wrong)
    print(
        f"{len(wrong)} of {sum(len(n.codes) for n in notes)} labels shuffled, {len(listed)} listed: "
        f"precision {precision:.2f}, recall {recall:.2f}; {len(missing)} seem missing"
    )
    assert precision >= 0.6
    assert recall >= 0.5
    assert [w.score for w in listed] == sorted((w.score for w in listed), reverse=True)


def test_label_errors_of_a_few_notes_are_the_same_each_time(store: Store, root: Path) -> None:
    notes = list(read_audited(root / "training" / "notes" / "audited"))[:36]
    assert likely_errors(notes, store, seed=1) == likely_errors(notes, store, seed=1)
    assert likely_errors(notes[:20], store, seed=1) == ([], [])


def test_notes_whose_every_candidate_is_right_list_nothing(store: Store, write: Write) -> None:
    path = write(*(record(f"n{i}", f"Gout of toe {i}, treated.", ("M10.9",)) for i in range(30)))
    assert not found(report_on(store, path, labels=30), "likely-wrong")
