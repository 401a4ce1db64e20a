"""Training in stages: the same bytes on any number of workers and after any kill, and bounded pieces."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated_notes import site

import codeassist
from codeassist.assistant import CodeAssistant
from codeassist.candidates.associations import Taught, learn_associations
from codeassist.errors import InputError
from codeassist.nlp.reading import NoteReader
from codeassist.note import Note
from codeassist.release import LearnedPhrases, load_release
from codeassist.terminology.store import Store
from training.audited import read_audited
from training.dataset import example_of, keys_of
from training.fit import prepare
from training.fitting import features, folds, survey
from training.fitting.context import Options, context
from training.fitting.features import rows_of_ranker
from training.fitting.folds import fold_of_groups
from training.fitting.learning import learnt
from training.fitting.pool import Pool
from training.fitting.prior import Counted, nothing_counted
from training.fitting.reading import chosen
from training.fitting.search import drawn
from training.fitting.words import WordReader
from training.fitting.work import WorkFolder, digest_of, load, write_piece
from training.train import train

PROBLEMS = {
    "gout": "M10.9",
    "asthma": "J45.909",
    "hypertension": "I10",
    "migraine": "G43.909",
    "hypothyroidism": "E03.9",
    "anemia": "D64.9",
    "psoriasis": "L40.9",
    "osteoporosis": "M81.0",
}
DAYS = (
    "The visit was on a Monday, with the family.",
    "He came by bus and talked about his dog.",
    "She works in a bakery and rises at four.",
    "They moved house last week; all boxes are unpacked.",
    "A long travel by ship went before, with storms.",
    "He paints portraits of his neighbours.",
    "Her garden has many roses this year.",
    "No news since spring, and the harvest was good.",
    "His brother sings in a choir on Fridays.",
    "The walk here took an hour along the canal.",
    "Her exam in history was passed.",
    "The roof was mended in the rain.",
)
"""What makes the notes too different from each other to be taken for copies."""
NO_PHRASES = LearnedPhrases(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype="S10"), np.zeros(0, dtype=np.uint8))


def content(folder: Path) -> dict[str, str]:
    """Every file of a release with its hash."""
    files = (f for f in sorted(folder.rglob("*")) if f.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def command(audited: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "codeassist.cli", "train", "--audited", str(audited), "--out", str(out), *more]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def whole(audited: Path) -> dict[str, str]:
    """A release of the notes, trained in one go by one process."""
    out = audited.parent / "whole"
    train([audited], out, labels="audited", workers=1)
    assert not (audited.parent / "whole.work").exists()
    return content(out)


def test_two_workers_give_the_same_bytes(audited: Path, whole: dict[str, str], tmp_path: Path) -> None:
    train([audited], tmp_path / "two", labels="audited", workers=2)
    assert content(tmp_path / "two") == whole
    release = load_release(tmp_path / "two")
    assert release.manifest["seen"]["ranked_notes"] == release.manifest["notes"] == 40


def killed(audited: Path, whole: dict[str, str], out: Path, times: int, seed: int) -> int:
    """Kill training at random moments, each time start the same command again, and compare what it gives at last; how
    often it could be killed before it ended."""
    chance = random.Random(seed)
    arguments = command(audited, out, "--labels", "audited", "--workers", "2")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    journal = out.with_name(f"{out.name}.work") / "journal.jsonl"
    kills = 0
    while True:
        process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
        if kills < times:
            before = journal.stat().st_size if journal.is_file() else 0
            while process.poll() is None and (not journal.is_file() or journal.stat().st_size <= before):
                time.sleep(0.01)  # each time a little further, wherever that is
            time.sleep(chance.random() * 0.8)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
        _, told = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, told.decode()
    assert kills >= min(times, 1)
    assert content(out) == whole
    return kills


def test_killed_at_random_moments_it_goes_on_to_the_same_bytes(
    audited: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    killed(audited, whole, tmp_path / "killed", times=2, seed=1)


@pytest.mark.bars
def test_killed_ten_times_it_goes_on_to_the_same_bytes(audited: Path, whole: dict[str, str], tmp_path: Path) -> None:
    kills, trainings = 0, 0
    while kills < 10:
        kills += killed(audited, whole, tmp_path / f"killed-{trainings}", times=10 - kills, seed=trainings)
        trainings += 1
    print(f"killed {kills} times in {trainings} trainings")


# -- the work folder ---------------------------------------------------------------------------------------------------


def test_a_damaged_piece_is_made_again(tmp_path: Path) -> None:
    with WorkFolder(tmp_path, {"seed": 1}) as work:
        for name in ("a", "b"):
            write_piece(work.folder, name, {"x": np.arange(3)})
            work.finish(name)
    np.save(tmp_path / "a" / "x.npy", np.arange(4))
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"piece": "c", "sha')
    with WorkFolder(tmp_path, {"seed": 1}) as work:
        assert (work.has("a"), work.has("b"), work.resumed) == (False, True, 1)
    assert digest_of(tmp_path / "c") is None


def test_other_data_or_options_are_refused_by_name(tmp_path: Path) -> None:
    with WorkFolder(tmp_path, {"seed": 1, "data": "a"}) as work:
        write_piece(work.folder, "a", {"x": np.arange(3)})
        work.finish("a")
        with pytest.raises(InputError, match="another training uses"):
            WorkFolder(tmp_path, {"seed": 1, "data": "a"})
    with pytest.raises(InputError, match="with other data, seed: give --restart"):
        WorkFolder(tmp_path, {"seed": 2, "data": "b"})
    with WorkFolder(tmp_path, {"seed": 2, "data": "b"}, restart=True) as work:
        assert not work.resumed and not (tmp_path / "a").exists()


def test_the_command_refuses_to_go_on_with_another_seed(audited: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    (tmp_path / "model.work").mkdir()
    (tmp_path / "model.work" / "plan.json").write_text(json.dumps({"seed": 7}))
    with pytest.raises(InputError, match="seed"):
        train([audited], out)


def test_notes_that_can_not_be_trained_on_leave_no_work_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "Gout.", "codes": "M10.9"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"bad.jsonl, line 1"):
        train([tmp_path / "bad.jsonl"], tmp_path / "out", workers=1)
    assert not (tmp_path / "out.work").exists()


# -- the stages --------------------------------------------------------------------------------------------------------


def test_ranges_of_keys_give_the_associations_of_all(
    audited: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "RANGE_PAIRS", 2000)
    monkeypatch.setattr("training.fitting.survey.SHARD", 7)
    monkeypatch.setattr("training.fitting.reading.SHARD", 7)
    monkeypatch.setattr("training.fitting.learning.SHARD", 7)
    monkeypatch.setattr("training.fitting.features.SHARD", 7)
    notes = list(read_audited(audited))
    # a code without evidence is taught by the whole note
    notes = [n if i % 3 else _without_evidence(n) for i, n in enumerate(notes)]
    with WorkFolder(tmp_path / "work", {}) as work, Pool(1) as pool:
        found = prepare(work, notes, store, NO_PHRASES, Options(True, 1), pool)
        assert int(load(work.folder, "folds", "ranges")[0]) > 5 and found.shards == 6
        fold = np.asarray(load(work.folder, "folds", "fold"))
        number = context(work.folder).number
        reader = NoteReader(store)
        for variant in (0, 5):
            taught = [_taught(n, reader, number) for n, f in zip(notes, fold, strict=True) if f != variant]
            expected = learn_associations(taught, len(found.labels))
            shares, lessons = learnt(work.folder, variant)
            for name in ("key", "label", "precision", "count"):
                np.testing.assert_array_equal(getattr(lessons.associations, name), getattr(expected, name))
            assert len(shares) == len(found.labels)


def _without_evidence(note: Any) -> Any:
    return replace(note, codes=tuple(replace(c, evidence=()) for c in note.codes))


def _taught(note: Any, reader: NoteReader, number: dict[Any, int]) -> Taught:
    e = example_of(note, reader(note.note), number)
    keys = [k for _, k in e.pairs] or [np.zeros(0, dtype=np.uint64)]
    labels = [np.full(len(k), label, dtype=np.int32) for label, k in e.pairs] or [np.zeros(0, dtype=np.int32)]
    return Taught(e.keys, np.concatenate(keys), np.concatenate(labels), e.short)


def test_a_patient_is_never_on_both_sides(audited: Path, tmp_path: Path, store: Store) -> None:
    notes = list(read_audited(audited))
    with WorkFolder(tmp_path / "work", {}) as work, Pool(1) as pool:
        prepare(work, notes, store, NO_PHRASES, Options(False, 1), pool)
        fold = np.asarray(load(work.folder, "folds", "fold"))
        rows = rows_of_ranker(work.folder, "diagnosis", 1)
    patients: dict[str, set[int]] = {}
    for note, f in zip(notes, fold.tolist(), strict=True):
        patients.setdefault(str(note.note.patient.id), set()).add(f)
    assert len(patients) == 14 and all(len(f) == 1 for f in patients.values())
    assert set(fold.tolist()) == {0, 1, 2, 3, 4}
    assert len(np.unique(rows.group)) <= 14


def test_rankers_see_no_more_rows_than_are_allowed(
    audited: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "MOST_NOTES", 25)
    monkeypatch.setattr(features, "MOST_ROWS", 200)
    with WorkFolder(tmp_path / "work", {}) as work, Pool(1) as pool:
        prepare(work, read_audited(audited), store, NO_PHRASES, Options(False, 1), pool)
        rows = rows_of_ranker(work.folder, "diagnosis", 1)
        again = rows_of_ranker(work.folder, "diagnosis", 1)
    assert 0 < len(rows.target) <= 200 and len(np.unique(rows.note)) < 25
    np.testing.assert_array_equal(rows.matrix, again.matrix)


def test_folds_of_groups() -> None:
    single = np.arange(23)
    np.testing.assert_array_equal(fold_of_groups(single, 5), np.random.default_rng(5).permutation(23) % 5)
    grouped = np.array([0] * 8 + [1] * 8 + list(range(2, 20)))
    fold = fold_of_groups(grouped, 5)
    assert len(set(fold[:8].tolist())) == 1 and np.bincount(fold).max() <= 8
    assert len(chosen(100, 30, 1)) == 30 and len(chosen(20, 30, 1)) == 20


def test_too_few_notes_and_one_patient_alone_are_refused(tmp_path: Path, store: Store, audited: Path) -> None:
    notes = list(read_audited(audited))
    with Pool(1) as pool:
        with WorkFolder(tmp_path / "a", {}) as work, pytest.raises(InputError, match="5 audited notes are too few"):
            prepare(work, notes[:5], store, NO_PHRASES, Options(False, 1), pool)
        with WorkFolder(tmp_path / "b", {}) as work, pytest.raises(InputError, match="of one patient"):
            prepare(work, [notes[0]] * 12, store, NO_PHRASES, Options(False, 1), pool)
    assert survey.LEAST_NOTES == 10


def test_words_alone_give_the_keys_that_the_whole_pipeline_gives(audited: Path, store: Store) -> None:
    notes = list(read_audited(audited))
    number = {code: i for i, code in enumerate(sorted({(c.system, c.key) for n in notes for c in n.codes}))}
    reader, words = NoteReader(store), WordReader(store)
    for note in notes:
        for mine in (note, _without_evidence(note), replace(note, note=replace(note.note, text=""))):
            whole, keys = example_of(mine, reader(mine.note), number), keys_of(mine, *words(mine.note.text), number)
            for name in ("labels", "keys", "short"):
                np.testing.assert_array_equal(getattr(keys, name), getattr(whole, name))
            assert [label for label, _ in keys.pairs] == [label for label, _ in whole.pairs]
            for (_, a), (_, b) in zip(keys.pairs, whole.pairs, strict=True):
                np.testing.assert_array_equal(a, b)
            assert not len(keys.counts) and not keys.sentences


def test_no_file_stays_open_however_many_shards_there_are(
    audited: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("survey", "reading", "learning", "features"):
        monkeypatch.setattr(f"training.fitting.{module}.SHARD", 1)
    opened: list[int] = []
    for module, name in (("folds", "near_groups"), ("learning", "associations_of")):
        monkeypatch.setattr(f"training.fitting.{module}.{name}", _counting(f"training.fitting.{module}", name, opened))
    with WorkFolder(tmp_path / "work", {}) as work, Pool(1) as pool:
        before = len(os.listdir("/proc/self/fd"))
        found = prepare(work, read_audited(audited), store, NO_PHRASES, Options(False, 1), pool)
    assert found.shards == 40 and max(opened) - before < 20


def _counting(module: str, name: str, opened: list[int]) -> Any:
    """The function of a module, which says how many files are open when it is called."""
    function = getattr(importlib.import_module(module), name)

    def counted(*args: Any, **more: Any) -> Any:
        opened.append(len(os.listdir("/proc/self/fd")))
        return function(*args, **more)

    return counted


# -- search and warm start ---------------------------------------------------------------------------------------------


def test_a_search_by_trials_stands_in_the_manifest_and_is_the_same_each_time(audited: Path, tmp_path: Path) -> None:
    for name, workers in (("a", 1), ("b", 2)):
        train([audited], tmp_path / name, search_trials=2, workers=workers, from_release="shipped")
    assert content(tmp_path / "a") == content(tmp_path / "b")
    manifest = load_release(tmp_path / "a").manifest
    found = manifest["search"]["diagnosis"]
    assert found["trials"] == 3 and found["best"]["log_loss"] <= found["without"]["log_loss"]
    before = manifest["from_release"]
    assert before["name"] == "codeassist-us" and all(d["licence"] for d in (*before["data"], *before["terms"]))
    assert manifest["environment"]["machine"] and manifest["environment"]["kernel"]
    card = (tmp_path / "a" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{before['terms'][0]['name']}, through codeassist-us (licence: " in card
    with pytest.raises(InputError, match="not both"):
        train([audited], tmp_path / "c", search=1, search_trials=2)


def test_parameters_are_drawn_by_seed_and_trial() -> None:
    assert drawn(1, 0) == {} and drawn(1, 3) == drawn(1, 3) != drawn(1, 4) != drawn(2, 4)


def test_a_release_to_begin_from_gives_its_labels_and_phrases(audited: Path, tmp_path: Path) -> None:
    train([audited], tmp_path / "warm", labels="audited", workers=1, from_release="shipped")
    train([audited], tmp_path / "cold", labels="audited", workers=1)
    warm, cold = load_release(tmp_path / "warm"), load_release(tmp_path / "cold")
    assert set(cold.labels) < set(warm.labels)
    assert len(warm.phrases.key) > len(cold.phrases.key)
    assert warm.rankers["diagnosis"].forest.feature.shape[1] > cold.rankers["diagnosis"].forest.feature.shape[1]


def write_notes(path: Path, codes: Callable[[int], list[str]]) -> Path:
    """Twelve notes of a clinic that does no procedures, each of three of :data:`PROBLEMS`, with the codes of those that
    ``codes`` says of its number."""
    with path.open("w", encoding="utf-8") as file:
        for i, day in enumerate(DAYS):
            problems = [list(PROBLEMS)[(i + step) % len(PROBLEMS)] for step in (0, 1, 3)]
            record = {
                "id": f"visit-{i}",
                "patient_id": f"patient-{i}",
                "text": f"Social History: {day}\nAssessment: {', '.join(problems)}.",
                "setting": "outpatient",
                "date_of_service": "2026-03-02",
                "codes": [{"system": "icd-10-cm", "code": PROBLEMS[p]} for p in problems if PROBLEMS[p] in codes(i)],
            }
            file.write(json.dumps(record) + "\n")
    return path


def test_where_the_notes_hold_no_procedures_their_ranker_stays(tmp_path: Path, store: Store) -> None:
    file = write_notes(tmp_path / "clinic.jsonl", lambda i: list(PROBLEMS.values()) if i % 2 else [])
    train([file], tmp_path / "cold", workers=1)
    assert set(load_release(tmp_path / "cold").rankers) == {"diagnosis"}
    train([file], tmp_path / "warm", workers=1, from_release="shipped")
    warm, shipped = load_release(tmp_path / "warm"), codeassist.load().release
    assert warm.manifest["kept_rankers"] == ["procedure"]
    assert set(warm.manifest["metrics"]["out_of_fold"]) == {"diagnosis"}
    assert "procedure: the ranker of the release begun from" in (tmp_path / "warm" / "MODEL_CARD.md").read_text()
    np.testing.assert_array_equal(warm.rankers["procedure"].forest.leaf, shipped.rankers["procedure"].forest.leaf)
    note = Note("Procedure: Colonoscopy with biopsy of a polyp in the sigmoid colon.", date_of_service=date(2026, 3, 2))
    procedures = {s.code for s in CodeAssistant(store, warm).suggest(note).suggestions if s.system != "icd-10-cm"}
    assert "45380" in procedures


def test_notes_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    file = write_notes(tmp_path / "uncoded.jsonl", lambda i: [])
    with pytest.raises(InputError, match="nothing can be learnt from these notes"):
        train([file], tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.work").exists()


def test_what_the_site_holds_itself_is_not_outweighed_by_the_release() -> None:
    keys, labels = np.array([1, 1, 1, 2, 2, 3], dtype="u8"), np.array([5, 5, 5, 6, 6, 7], dtype="i4")
    before = Counted(keys, np.array([3], dtype="u8"), keys, labels)
    once_and_twice = np.array([1, 2, 2, 9], dtype="u8")
    left = before.beside(once_and_twice)
    assert left.keys.tolist() == [1, 1, 1, 3] and left.pair_label.tolist() == [5, 5, 5, 7]
    assert nothing_counted().beside(once_and_twice).keys.tolist() == []
