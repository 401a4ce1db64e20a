"""Each command of the command line as a site runs it: what it prints, and its exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeassist import cli
from codeassist.release import MANIFEST
from codeassist.settings import settings
from codeassist.terminology import build
from codeassist.terminology.build import find_index

NOTE = "Assessment and Plan: 1. Type 2 diabetes with CKD stage 3a, on metformin. 2. Migraine. Denies chest pain."
DAY = ("--date-of-service", "2026-03-02")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="module", autouse=True)
def _commands_of_all_parts() -> None:
    cli.add_commands()


@pytest.fixture
def note(tmp_path: Path) -> str:
    (tmp_path / "note.txt").write_text(NOTE, encoding="utf-8")
    return "note.txt"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped model, to damage."""
    return Path(shutil.copytree(settings().model_dir, tmp_path / "model"))


def passed(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def refused(done: subprocess.CompletedProcess[bytes], status: int, *words: str) -> None:
    message = done.stderr.decode()
    assert done.returncode == status, message
    assert "Traceback" not in message
    for word in words:
        assert word in message


def test_suggest(run: Run, note: str) -> None:
    text = passed(run("suggest", note, *DAY))
    assert "E11.22" in text and "Codes" in text


@pytest.mark.parametrize("setting", ["outpatient", "inpatient", "emergency"])
def test_suggest_from_standard_input_as_json(run: Run, setting: str) -> None:
    done = run("suggest", "-", *DAY, "--setting", setting, "--format", "json", stdin=NOTE.encode())
    result = json.loads(passed(done))
    assert (result["id"], result["setting"], result["date_of_service"]) == ("standard-input", setting, "2026-03-02")
    assert "E11.22" in {s["code"] for s in result["suggestions"]}
    for suggestion in result["suggestions"]:
        for evidence in suggestion["evidence"]:
            assert NOTE[evidence["start"] : evidence["end"]] == evidence["text"]


def test_suggest_takes_a_byte_order_mark(run: Run) -> None:
    assert passed(run("suggest", "-", stdin=b"\xef\xbb\xbf" + NOTE.encode()))


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("suggest", "missing.txt"), b"", ["there is no file missing.txt"]),
        (("suggest", "."), b"", ["folder"]),
        (("suggest", "-"), b"", ["empty"]),
        (("suggest", "-"), b" \r\n\t ", ["empty"]),
        (("suggest", "-"), "café".encode("latin-1"), ["UTF-8", "byte 3"]),
        (("suggest", "-", "--setting", "hospice"), b"Gout.", ["hospice", "outpatient, inpatient, emergency"]),
        (("suggest", "-", "--format", "xml"), b"Gout.", ["--format", "xml"]),
        (("suggest", "-", "--date-of-service", "2026-02-30"), b"Gout.", ["2026-02-30"]),
        (("suggest",), b"", ["note"]),
        (("batch", "missing.jsonl", "out.jsonl"), b"", ["there is no file missing.jsonl"]),
        (("batch", "-", "-", "--workers", "0"), b"", ["workers"]),
        (("codes", "show", "Z99.999"), b"", ["Z99.999"]),
        (("codes", "search", "gout", "--system", "icd-9"), b"", ["icd-9"]),
        (("codes", "check", "E11.9", "--age", "200"), b"", ["200"]),
        (("codes", "check", "E11.9", "--sex", "Q"), b"", ["sex"]),
        (("codes", "check", "E11.9", "--setting", "hospice"), b"", ["hospice"]),
        (("codes", "check", "-"), b"{", ["JSON"]),
        (("codes", "check", "-"), b'{"codes": "E11.9"}', ["list"]),
        (("codes", "check"), b"", ["CODE"]),
        (("train", "--audited", "missing.jsonl", "--out", "new"), b"", ["missing.jsonl"]),
        (("evaluate", "--model", ".", "--audited", "missing.jsonl"), b"", ["missing.jsonl"]),
        (("serve", "--port", "99999"), b"", ["port"]),
        (("no-such-command",), b"", ["no-such-command"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_exits_with_2(run_here: Run, arguments: tuple[str, ...], stdin: bytes, words: list[str]) -> None:
    refused(run_here(*arguments, stdin=stdin), 2, *words)


def test_a_note_over_the_limit_exits_with_2_and_tells_the_limit(run: Run) -> None:
    refused(run("suggest", "-", stdin=NOTE.encode(), CODEASSIST_MAX_CHARACTERS="50"), 2, str(len(NOTE)), "50")
    assert passed(run("suggest", "-", stdin=NOTE.encode(), CODEASSIST_MAX_CHARACTERS="500"))


def test_no_message_quotes_the_note(run: Run) -> None:
    done = run("suggest", "-", stdin=b"Zebedee has gout", CODEASSIST_MAX_CHARACTERS="5")
    assert b"Zebedee" not in done.stderr + done.stdout


def test_no_model(run: Run, note: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(run("suggest", note, "--model", "empty"), 1, "no model", "--model")
    refused(run("suggest", note, CODEASSIST_MODEL_DIR="nowhere"), 1, "no model in nowhere")
    refused(run("batch", "-", "-", "--model", "empty", stdin=b'{"text": "Gout."}\n'), 1, "no model")


def test_a_model_with_a_wrong_hash(run: Run, note: str, model: Path) -> None:
    with (model / "labels.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    refused(run("suggest", note, "--model", "model"), 1, "labels.json", "hash")


def test_a_model_whose_manifest_is_cut_short(run: Run, note: str, model: Path) -> None:
    (model / MANIFEST).write_bytes((model / MANIFEST).read_bytes()[:-40])
    refused(run("suggest", note, "--model", "model"), 1, "manifest", "damaged")


def lines(*records: Any) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


BATCH = lines(
    {"id": "a", "text": NOTE, "date_of_service": "2026-03-02", "mrn_of_the_site": 5},
    b'{"id": "b", "text": "cut sho',
    {"id": "c", "documents": [{"id": "x", "text": "Gout."}, {"id": "y", "text": "Migraine."}]},
    b"",
    {"id": "d", "text": "  "},
    {"id": "e", "text": "Gout.", "setting": "hospice"},
    b'{"id": "f", "text": "caf\xe9"}',
    [1, 2],
    {"id": "g"},
    {"id": "h", "text": "Gout.", "date_of_service": "2018-05-01"},
)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_batch_answers_every_line_in_order(run: Run, tmp_path: Path, workers: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(BATCH)
    passed(run("batch", "in.jsonl", "out.jsonl", "--workers", workers))
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [(r.get("id"), r.get("line"), r.get("error", {}).get("code")) for r in out] == [
        ("a", None, None),
        (None, 2, "invalid-input"),
        ("c", None, None),
        ("d", 5, "invalid-input"),
        ("e", 6, "invalid-input"),
        (None, 7, "invalid-input"),
        (None, 8, "invalid-input"),
        ("g", 9, "invalid-input"),
        ("h", None, None),
    ]
    assert {e["document"] for s in out[2]["suggestions"] for e in s["evidence"]} <= {"x", "y"}


def test_batch_over_standard_streams(run: Run) -> None:
    (record,) = [
        json.loads(line) for line in passed(run("batch", "-", "-", stdin=lines({"id": 7, "text": NOTE}))).splitlines()
    ]
    assert record["id"] == "7" and record["suggestions"]


def test_batch_gives_what_suggest_gives(run: Run) -> None:
    record = {"id": "standard-input", "text": NOTE, "date_of_service": "2026-03-02"}
    one = json.loads(passed(run("suggest", "-", *DAY, "--format", "json", stdin=NOTE.encode())))
    assert one == json.loads(passed(run("batch", "-", "-", stdin=lines(record))))


def test_batch_of_notes_over_the_limit(run: Run) -> None:
    records = lines({"id": "a", "text": NOTE}, {"id": "b", "text": "Gout."})
    out = [
        json.loads(x)
        for x in passed(run("batch", "-", "-", stdin=records, CODEASSIST_MAX_CHARACTERS="20")).splitlines()
    ]
    assert out[0]["error"]["code"] == "note-too-large" and out[1]["id"] == "b"


def test_codes_search(run_here: Run) -> None:
    assert passed(run_here("codes", "search", "HTN")).splitlines()[0].split()[:2] == ["icd-10-cm", "I10"]
    found = json.loads(
        passed(run_here("codes", "search", "left", "knee", "pain", "--system", "icd-10-cm", "--format", "json"))
    )
    assert found[0].keys() == {"system", "code", "display", "score"}
    assert found[0]["code"] == "M25.562"
    assert [f["score"] for f in found] == sorted((f["score"] for f in found), reverse=True)


def test_codes_search_that_finds_nothing(run_here: Run) -> None:
    assert json.loads(passed(run_here("codes", "search", "qqqqzzzz", "--format", "json"))) == []


@pytest.mark.parametrize("code", ["E11.22", "e1122", "icd-10-cm:E11.22"])
def test_codes_show(run_here: Run, code: str) -> None:
    assert "diabetic chronic kidney disease" in passed(run_here("codes", "show", code, *DAY))
    entry = json.loads(passed(run_here("codes", "show", code, "--format", "json")))
    assert (entry["system"], entry["code"], entry["billable"], entry["parent"]) == (
        "icd-10-cm",
        "E11.22",
        True,
        "E11.2",
    )
    assert entry["notes"]["use_additional_code"]


def test_codes_check(run_here: Run) -> None:
    review = json.loads(
        passed(run_here("codes", "check", "E11.9", "I10/Y", "--setting", "inpatient", *DAY, "--format", "json"))
    )
    assert review.keys() == {"findings", "sequence", "rules", "editions"}
    assert {s["code"] for s in review["sequence"]} == {"E11.9", "I10"}
    codes = b'{"setting": "inpatient", "codes": [{"code": "E11.9"}, {"code": "I10", "poa": "Y"}]}'
    assert json.loads(passed(run_here("codes", "check", "-", *DAY, "--format", "json", stdin=codes))) == review
    assert "E11.9" in passed(run_here("codes", "check", "E11.9"))


def test_terminology_status_and_build(run_here: Run) -> None:
    status = passed(run_here("terminology", "status"))
    assert "icd-10-cm" in status and "simple-icd-10-cm 1.5.0" in status
    assert "ready" in passed(run_here("terminology", "build"))


def test_terminology_diff(run_here: Run) -> None:
    assert "190 added" in passed(run_here("terminology", "diff", "2026-04", "2026-10"))
    refused(run_here("terminology", "diff", "2026-04", "1999-10"), 1, "1999-10")
    changes = json.loads(passed(run_here("terminology", "diff", "FY2026", "FY2027", "--format", "json")))
    assert len(changes["added"]) == 190


def test_terminology_import_of_what_is_no_such_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "holiday.txt").write_text("We went to the lake.\n", encoding="utf-8")
    refused(run("terminology", "import", "holiday.txt", CODEASSIST_CACHE_DIR=str(tmp_path / "cache")), 1, "holiday.txt")
    refused(run("terminology", "import", "missing.txt", CODEASSIST_CACHE_DIR=str(tmp_path / "cache")), 1, "missing.txt")
    assert not list((tmp_path / "cache").glob("imports/*"))


def test_an_index_of_an_older_format_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is found by what it was built from and its format: one of another format is as good as none."""
    cache = settings().cache_dir
    assert find_index(cache) is not None
    monkeypatch.setattr(build, "FORMAT", build.FORMAT + 1)
    assert find_index(cache) is None


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["suggest"],
        ["batch"],
        ["codes", "search"],
        ["codes", "show"],
        ["codes", "check"],
        ["terminology", "status"],
        ["terminology", "import"],
        ["terminology", "diff"],
        ["serve"],
        ["train"],
        ["evaluate"],
    ],
    ids=" ".join,
)
def test_help(run_here: Run, command: list[str]) -> None:
    text = passed(run_here(*command, "--help"))
    assert "Usage" in text
    if len(command) == 1 or (command and command[1] not in ("status",)):
        assert "Example" in text


def test_train_and_evaluate(run: Run, tmp_path: Path) -> None:
    """A site's own habit from a dozen notes: the release loads, and its codes come back on the same notes."""
    texts = [("Gout of the left knee, start colchicine.", "M10.9"), ("Migraine, try sumatriptan.", "G43.909")]
    records = [
        {
            "id": f"{i}",
            "text": f"Assessment: {texts[i % 2][0]} Visit {i}.",
            "date_of_service": "2026-03-02",
            "codes": [{"system": "icd-10-cm", "code": texts[i % 2][1]}],
        }
        for i in range(24)
    ]
    (tmp_path / "audited.jsonl").write_bytes(lines(*records))
    done = run("train", "--audited", "audited.jsonl", "--out", "new", "--labels", "audited", "--licence", "ours")
    assert "24 notes" in passed(done)
    manifest = json.loads((tmp_path / "new" / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["data"][0]["licence"] == "ours" and manifest["libraries"]["scikit-learn"]
    assert (tmp_path / "new" / "MODEL_CARD.md").is_file()
    table = passed(run("evaluate", "--model", "new", "--audited", "audited.jsonl", "--report", "report"))
    assert "| f1 |" in table
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert figures["icd-10-cm"]["f1"] > 0.9
    result = json.loads(
        passed(run("suggest", "-", "--model", "new", "--format", "json", stdin=b"Gout of the left knee."))
    )
    assert result["suggestions"][0]["code"] == "M10.9"


def test_training_on_too_few_notes(run_here: Run, tmp_path: Path) -> None:
    (tmp_path / "audited.jsonl").write_bytes(lines({"text": "Gout.", "codes": []}))
    refused(run_here("train", "--audited", "audited.jsonl", "--out", "new"), 2, "at least 10")
    (tmp_path / "audited.jsonl").write_bytes(lines({"text": "Gout."}))
    refused(run_here("train", "--audited", "audited.jsonl", "--out", "new"), 2, "audited.jsonl, line 1", "codes")
