"""Batches on one machine: what a kill leaves, a run that goes on, and lines of any length."""

from __future__ import annotations

import io
import json
import os
import random
import time
from datetime import date
from pathlib import Path

import psutil
import pytest
from batch_helpers import Start, ended, mixed, record

from codeassist.assistant import CodeAssistant
from codeassist.batch import journal, lines, local
from codeassist.batch.journal import Progress
from codeassist.batch.lines import Line, read_lines, suggest_line
from codeassist.batch.local import run_local
from codeassist.errors import InputError

DAY = date(2026, 3, 2)


def coded(source: Path, target: Path, **options: object) -> bytes:
    run_local(str(source), str(target), workers=1, **options)  # type: ignore[arg-type]
    return target.read_bytes()


class Killed(Exception):
    """The run ends at this point, with nothing tidied up after it."""


def stop_after(results: int) -> local.Advance:
    def advance(done: int, position: int, end: int | None) -> None:
        if done >= results:
            raise Killed

    return advance


def test_every_bad_line_is_answered_and_the_rest_goes_on(notes: Path, tmp_path: Path) -> None:
    out = [json.loads(line) for line in coded(notes, tmp_path / "out.jsonl").splitlines()]
    assert [r["id"] for r in out if "suggestions" in r] == [f"n{i}" for i in range(40)]
    errors = {r["line"]: r["error"]["message"] for r in out if "error" in r}
    assert list(errors) == [6, 18, 24, 30, 42]
    assert "half of a surrogate" in errors[30] and "JSON object" in errors[24] and "UTF-8" in errors[18]
    assert not (tmp_path / "out.jsonl.journal").exists()


@pytest.mark.parametrize("stop", [1, 8, 20, 39])
def test_a_run_that_stopped_goes_on(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    monkeypatch.setattr(local, "SECONDS_A_JOURNAL", 0.0)
    whole = coded(notes, tmp_path / "whole.jsonl")
    out = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run_local(str(notes), str(out), workers=1, advance=stop_after(stop))
    with out.open("ab") as file:
        file.write(b'{"id": "half a li')  # what was under way when the process was killed
    done = run_local(str(notes), str(out), workers=1)
    assert out.read_bytes() == whole
    assert done.before >= stop and done.before + done.notes == len(whole.splitlines())


def test_the_day_of_a_note_without_a_date_is_that_of_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(date):
        @classmethod
        def today(cls) -> date:  # type: ignore[override]
            return date(2026, 3, 2)

    monkeypatch.setattr(local, "SECONDS_A_JOURNAL", 0.0)
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b'{"text": "Gout."}\n' * 20)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "date", Yesterday)
        with pytest.raises(Killed):
            run_local(str(source), str(out), workers=1, advance=stop_after(1))
    days = {json.loads(line)["date_of_service"] for line in coded(source, out).splitlines()}
    assert days == {"2026-03-02"}


def test_another_input_is_refused_and_restart_begins_anew(notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run_local(str(notes), str(out), workers=1, advance=stop_after(1))
    before = out.read_bytes()
    notes.write_bytes(mixed(12))
    with pytest.raises(InputError, match=r"changed since.*--restart"):
        run_local(str(notes), str(out), workers=1)
    assert out.read_bytes() == before
    assert coded(notes, out, restart=True) == coded(notes, tmp_path / "whole.jsonl")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "0" * 64}, "model release"),
        ({"terminology": {"icd-10-cm": "2019-10"}}, "terminology editions"),
        ({"settings": "1" * 64}, "settings"),
    ],
)
def test_another_release_is_refused(notes: Path, tmp_path: Path, change: dict[str, object], words: str) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run_local(str(notes), str(out), workers=1, advance=stop_after(1))
    path = tmp_path / "out.jsonl.journal"
    found = json.loads(path.read_bytes())
    found["run"]["pin"].update(change)
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=rf"{words}.*--restart"):
        run_local(str(notes), str(out), workers=1)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"run": {}, "progress": {}}'])
def test_a_damaged_journal_is_refused(notes: Path, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "out.jsonl.journal").write_bytes(damage)
    with pytest.raises(InputError, match=r"damaged.*--restart"):
        run_local(str(notes), str(tmp_path / "out.jsonl"), workers=1)


def test_results_that_are_gone_are_missed(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SECONDS_A_JOURNAL", 0.0)
    out = tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run_local(str(notes), str(out), workers=1, advance=stop_after(20))
    out.unlink()
    with pytest.raises(InputError, match=r"lacks results.*--restart"):
        run_local(str(notes), str(out), workers=1)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("in.jsonl", "made from"),
        (".", "can't be written"),
        ("none/out.jsonl", "can't be written"),
        ("s3://b/o", "--sch"),
    ],
)
def test_where_results_can_not_go(notes: Path, tmp_path: Path, target: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_local(str(notes), target if "://" in target else str(tmp_path / target), workers=1)
    assert notes.read_bytes() == mixed(40)


def test_two_runs_do_not_write_one_file(notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"

    def second(done: int, position: int, end: int | None) -> None:
        with pytest.raises(InputError, match="another run writes"):
            run_local(str(notes), str(out), workers=1)
        raise Killed

    with pytest.raises(Killed):
        run_local(str(notes), str(out), workers=1, advance=second)


def test_a_line_longer_than_any_note_is_answered_and_not_held(
    assistant: CodeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "longest_line", lambda: 1000)
    text = b'{"text": "' + b"x" * 3_000_000 + b'"}'
    good = json.dumps(record(1)).encode()
    read = list(read_lines(io.BytesIO(b"\n".join([text, good, b"", b"y" * 1000, text]))))
    assert [(line.number, line.data is None) for line in read] == [(1, True), (2, False), (4, False), (5, True)]
    assert [line.end for line in read[:-1]] == [line.begin for line in read[1:2]] + [read[2].begin - 1, read[3].begin]
    answer = json.loads(suggest_line(assistant, read[0], DAY))
    assert answer["line"] == 1 and answer["error"]["code"] == "note-too-large"


def test_a_line_nested_too_deeply_is_answered(assistant: CodeAssistant) -> None:
    answer = json.loads(suggest_line(assistant, Line(3, 0, 1, b"[" * 200_000), DAY))
    assert (answer["line"], answer["error"]["code"]) == (3, "invalid-input")


def test_parquet_is_read_as_json_lines_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(local, "SECONDS_A_JOURNAL", 0.0)
    records = [{**record(i), "patient": {"age": 50 + i, "sex": "F"} if i % 2 else None} for i in range(30)]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(json.dumps(r).encode() for r in records))
    dated = [{**r, "date_of_service": date(2026, 3, 2)} for r in records]
    parquet.write_table(pa.Table.from_pylist(dated), tmp_path / "in.parquet", row_group_size=7)
    whole, out = coded(tmp_path / "in.jsonl", tmp_path / "whole.jsonl"), tmp_path / "out.jsonl"
    with pytest.raises(Killed):
        run_local(str(tmp_path / "in.parquet"), str(out), workers=1, advance=stop_after(9))
    assert coded(tmp_path / "in.parquet", out) == whole
    (tmp_path / "bad.parquet").write_bytes(b"no such file")
    with pytest.raises(InputError, match=r"bad\.parquet can't be read"):
        coded(tmp_path / "bad.parquet", out)
    parquet.write_table(pa.table({"note": ["Gout."]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="no column text"):
        coded(tmp_path / "other.parquet", out)


def kill_and_go_on(start: Start, notes: Path, out: Path, kills: int, chance: random.Random) -> int:
    """Start the run, kill it at a random point, its workers with it, and again; then let it finish. How many kills
    came before its end."""
    came = 0
    for _ in range(kills):
        process = start(notes, out, "--workers", 2)
        begun, most = time.monotonic(), chance.uniform(0.0, 0.8)
        before = out.stat().st_size if out.exists() else 0
        while process.poll() is None and time.monotonic() - begun < 60:
            if out.exists() and out.stat().st_size != before:
                time.sleep(most)
                break
            time.sleep(0.01)
        workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        came += process.poll() is None
        process.kill()
        process.communicate()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive, "workers outlived the run that was killed"
    ended(start(notes, out, "--workers", 2))
    return came


def killed_run_equals_the_uninterrupted_one(start: Start, tmp_path: Path, notes: int, kills: int) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(mixed(notes))
    assert kill_and_go_on(start, source, out, kills, random.Random(8)) > 0
    assert out.read_bytes() == coded(source, tmp_path / "whole.jsonl")
    assert not os.path.exists(f"{out}.journal")


def test_a_run_killed_at_random_points_equals_the_uninterrupted_one(start: Start, tmp_path: Path) -> None:
    killed_run_equals_the_uninterrupted_one(start, tmp_path, 300, 2)


@pytest.mark.bars
def test_a_run_killed_many_times_equals_the_uninterrupted_one(start: Start, tmp_path: Path) -> None:
    killed_run_equals_the_uninterrupted_one(start, tmp_path, 6000, 25)


def test_progress_restarts_from_nothing_without_a_journal(notes: Path, tmp_path: Path) -> None:
    """Results of an earlier, finished run are replaced."""
    out = tmp_path / "out.jsonl"
    whole = coded(notes, out)
    assert coded(notes, out) == whole and Progress() == Progress(0, 1, 0, 0)
