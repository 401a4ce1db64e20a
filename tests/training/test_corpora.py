"""Audited notes in every form that they come in, splits of them, and what a bad file is answered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from codeassist.errors import InputError
from codeassist.note import Document, Note, Patient
from training.audited import AuditedCode, AuditedNote, audited_from_record, read_audited, record_of
from training.data_report.duplicates import near_groups, note_bands
from training.fingerprint import data_record
from training.splitting import By, by_patient, by_time, split

RECORD = {
    "id": "a1",
    "text": "Assessment: gout, left knee.",
    "date_of_service": "2026-03-02",
    "patient": {"id": "p1", "age": 61.0, "sex": "M"},
    "codes": [{"system": "icd-10-cm", "code": "M10.9", "evidence": [{"start": 12, "end": 16}]}],
}


def codes(note: AuditedNote) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    return [(c.system, c.key, c.evidence) for c in note.codes]


# -- records -----------------------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=40)
audited_notes = st.builds(
    AuditedNote,
    st.builds(
        Note,
        text=st.just(""),
        id=texts,
        setting=st.sampled_from(["outpatient", "inpatient", "emergency"]),
        date_of_service=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        note_type=st.none() | texts,
        patient=st.builds(Patient, st.none() | st.floats(0, 130), st.sampled_from(["M", "F", None]), st.none() | texts),
        documents=st.lists(st.builds(Document, texts, texts), min_size=1, max_size=3, unique_by=lambda d: d.id),
    ),
    st.lists(
        st.builds(
            AuditedCode,
            st.sampled_from(["icd-10-cm", "cpt"]),
            st.text("ABC019", min_size=3, max_size=7),
            st.lists(st.tuples(st.integers(0, 9), st.integers(10, 20)), max_size=3).map(tuple),
            st.none() | st.integers(1, 9),
            st.sampled_from([None, "Y", "N"]),
            st.floats(0, 5),
        ),
        max_size=4,
    ).map(tuple),
    weight=st.floats(0, 10),
)


@given(audited_notes)
def test_a_note_comes_back_from_its_record(note: AuditedNote) -> None:
    assert audited_from_record(json.loads(json.dumps(record_of(note)))) == note


def test_codes_of_reviews_weigh_by_their_origin() -> None:
    listed = [
        {"system": "icd-10-cm", "code": "I10", "origin": "accepted"},
        {"system": "icd-10-cm", "code": "M10.9", "origin": "added"},
        {"system": "icd-10-cm", "code": "E11.9", "origin": "accepted", "weight": 3},
        {"system": "icd-10-cm", "code": "R05.9"},
    ]
    note = audited_from_record({**RECORD, "codes": listed, "weight": 2})
    assert [c.weight for c in note.codes] == [0.8, 1.0, 3.0, 1.0] and note.weight == 2


# -- Parquet -----------------------------------------------------------------------------------------------------------


def test_parquet_with_lists_and_with_text(tmp_path: Path) -> None:
    lists = {**RECORD, "specialty": None, "weight": 2.0}
    parquet.write_table(pyarrow.Table.from_pylist([lists, {**lists, "id": "a2"}]), tmp_path / "a.parquet")
    first, second = read_audited(tmp_path / "a.parquet")
    assert first.note.id == "a1" and second.note.id == "a2" and first.weight == 2
    assert first.note.patient == Patient(61, "M", "p1")
    assert codes(first) == [("icd-10-cm", "M109", ((12, 16),))]
    flat = {"text": "Gout.", "codes": "icd-10-cm:M10.9; cpt:99213", "age": 61, "sex": "M", "patient": "p1"}
    flat |= {"date_of_service": date(2026, 3, 2), "coder": None}
    parquet.write_table(pyarrow.Table.from_pylist([flat]), tmp_path / "b.parquet")
    (note,) = read_audited(tmp_path / "b.parquet")
    assert codes(note) == [("icd-10-cm", "M109", ()), ("cpt", "99213", ())]
    assert note.note.date_of_service == date(2026, 3, 2) and note.note.patient == Patient(61, "M", "p1")


def test_parquet_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="can't be read as Parquet"):
        list(read_audited(tmp_path / "a.parquet"))
    parquet.write_table(pyarrow.table({"note": ["a"]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="no column text and no column codes"):
        list(read_audited(tmp_path / "b.parquet"))
    parquet.write_table(pyarrow.table({"text": ["a", "b"], "codes": ["icd-10-cm:I10", "I10"]}), tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"c.parquet, line 2: a code is written SYSTEM:CODE"):
        list(read_audited(tmp_path / "c.parquet"))


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(pyarrow.table({"text": ["a"], "codes": ["icd-10-cm:I10"]}), tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match="with its extra 'parquet'"):
        list(read_audited(tmp_path / "a.parquet"))


# -- CodiEsp -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def codiesp(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    (folder / "text_files").mkdir(parents=True)
    (folder / "text_files" / "S1.txt").write_text("Paciente con gota y fiebre.", encoding="utf-8")
    (folder / "text_files" / "S2.txt").write_text("Radiografía de tórax.", encoding="utf-8")
    (folder / "trainD.tsv").write_text("S1\tm10.9\nS1\tr50.9\nS1\ti10\n", encoding="utf-8")
    (folder / "trainP.tsv").write_text("S2\tPROCEDIMIENTO\tbw03zzz\n", encoding="utf-8")
    (folder / "trainX.tsv").write_text(
        "S1\tDIAGNOSTICO\tm10.9\tgota\t13 17\nS1\tDIAGNOSTICO\tr50.9\tfiebre\t20 26\n"
        "S2\tPROCEDIMIENTO\tbw03zzz\tRadiografía tórax\t0 11;15 20\n",
        encoding="utf-8",
    )
    return folder


def test_codiesp_as_published(codiesp: Path) -> None:
    first, second = read_audited(codiesp)
    assert codes(first) == [
        ("icd-10-cm", "M109", ((13, 17),)),
        ("icd-10-cm", "R509", ((20, 26),)),
        ("icd-10-cm", "I10", ()),
    ]
    assert codes(second) == [("icd-10-pcs", "BW03ZZZ", ((0, 11), (15, 20)))]
    assert second.note.text[15:20] == "tórax"
    before = data_record(codiesp, "CC BY 4.0")["sha256"]
    (codiesp / "text_files_en").mkdir()
    (codiesp / "text_files_en" / "S1.txt").write_text("Patient with gout and fever.", encoding="utf-8")
    (english,) = read_audited(codiesp)
    assert english.note.text.startswith("Patient") and not any(c.evidence for c in english.codes)
    assert data_record(codiesp, "CC BY 4.0")["sha256"] != before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("S1\tDIAGNOSTICO\tm10.9\tgota\t13-17", "offsets"),
        ("S1\tOTHER\tm10.9", "expected an article"),
        ("S1\tDIAGNOSTICO\tm10.9\tgota", "expected an article"),
    ],
)
def test_codiesp_tables_of_another_form(codiesp: Path, line: str, told: str) -> None:
    with (codiesp / "trainX.tsv").open("a", encoding="utf-8") as table:
        table.write(line + "\n")
    with pytest.raises(InputError, match=rf"trainX.tsv, line 4: .*{told}"):
        list(read_audited(codiesp))


def test_codiesp_without_tables(codiesp: Path) -> None:
    for table in codiesp.glob("*.tsv"):
        table.unlink()
    with pytest.raises(InputError, match="no tables of codes"):
        list(read_audited(codiesp))


# -- MDACE -------------------------------------------------------------------------------------------------------------

TEXT = 'Discharge diagnosis:\n"Gout", left knee.\nHypertension.'


def annotation(code: str, begin: int, end: int, **more: Any) -> dict[str, Any]:
    system = {"code_system": "ICD-10-CM", "description": "", "type": "Human", "covered_text": TEXT[begin:end]}
    return {"begin": begin, "end": end, "code": code, **system, **more}


@pytest.fixture
def mdace(tmp_path: Path) -> Path:
    folder = tmp_path / "ICD-10"
    (folder / "1.0").mkdir(parents=True)
    notes = [
        {
            "note_id": 7,
            "category": "Discharge summary",
            "annotations": [
                annotation("M10.9", 22, 26),
                annotation("I10", 40, 52),
                annotation("401.9", 40, 52, code_system="ICD-9-CM"),
                annotation("99223", 0, 9, code_system="CPT"),
            ],
        },
        {"note_id": 8, "category": "Nursing", "annotations": []},
    ]
    (folder / "1.0" / "117-ICD-10.json").write_text(json.dumps({"hadm_id": 117, "notes": notes}), encoding="utf-8")
    escaped = TEXT.replace('"', '""')
    (folder / "NOTEEVENTS.csv").write_text(
        "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CATEGORY,TEXT\n"
        f'6,3,99,2151-07-01,Nursing,"other"\n7,3,117,2151-08-04,Discharge summary,"{escaped}"\n',
        encoding="utf-8",
    )
    return folder


def test_mdace_as_published(mdace: Path) -> None:
    (note,) = read_audited(mdace)
    assert note.note.id == "117-7" and note.note.patient.id == "3" and note.note.setting == "inpatient"
    assert codes(note) == [
        ("icd-10-cm", "M109", ((22, 26),)),
        ("icd-10-cm", "I10", ((40, 52),)),
        ("cpt", "99223", ((0, 9),)),
    ]
    assert note.note.text[22:26] == "Gout" and note.note.text[40:52] == "Hypertension"


def _without_table(folder: Path) -> None:
    (folder / "NOTEEVENTS.csv").unlink()


def _other_table(folder: Path) -> None:
    (folder / "NOTEEVENTS.csv").write_text("id,note\n1,a\n", encoding="utf-8")


def _other_text(folder: Path) -> None:
    table = folder / "NOTEEVENTS.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("Discharge diagnosis", "Diagnosis"), encoding="utf-8")


def _without_row(folder: Path) -> None:
    (folder / "NOTEEVENTS.csv").write_text("ROW_ID,TEXT\n6,a\n", encoding="utf-8")


def _other_json(folder: Path) -> None:
    (folder / "1.0" / "2.json").write_text("[]", encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_without_table, "comes without them"),
        (_other_table, "no column ROW_ID and no column TEXT"),
        (_other_text, "not the one that was annotated"),
        (_without_row, "the text of note 7 is in no table"),
        (_other_json, "2.json is no admission"),
    ],
)
def test_mdace_that_does_not_fit(mdace: Path, change: Callable[[Path], None], told: str) -> None:
    change(mdace)
    with pytest.raises(InputError, match=told):
        list(read_audited(mdace))


# -- splits ------------------------------------------------------------------------------------------------------------


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def visit(patient: int, month: int) -> dict[str, Any]:
    text = " ".join(f"word{patient}x{month}x{i}" for i in range(30))
    day = f"2026-{month:02}-01"
    return {**RECORD, "id": f"{patient}-{month}", "text": text, "date_of_service": day, "patient": {"id": str(patient)}}


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_split_by_patient(tmp_path: Path) -> None:
    notes = [{**visit(p, m), "own": "kept"} for p in range(10) for m in (1, 2)]
    split([write(tmp_path / "site.jsonl", *notes)], tmp_path / "out", By.patient, 0.2)
    train, test = ids(tmp_path / "out" / "train.jsonl"), ids(tmp_path / "out" / "test.jsonl")
    assert (len(train), len(test)) == (16, 4)
    assert not {i.split("-")[0] for i in train} & {i.split("-")[0] for i in test}
    assert json.loads((tmp_path / "out" / "test.jsonl").read_text(encoding="utf-8").splitlines()[0])["own"] == "kept"


def test_split_by_time_leaves_out_what_a_patient_has_from_before(tmp_path: Path) -> None:
    notes = [visit(p, m) for p, m in [(1, 1), (2, 2), (3, 3), (4, 4), (1, 5), (5, 6), (6, 7), (7, 8), (2, 9), (8, 9)]]
    split([write(tmp_path / "site.jsonl", *notes)], tmp_path / "out", By.time, 0.2)
    assert ids(tmp_path / "out" / "test.jsonl") == ["2-9", "8-9"]
    assert ids(tmp_path / "out" / "left-out.jsonl") == ["2-2"]
    assert len(ids(tmp_path / "out" / "train.jsonl")) == 7


def test_splits_that_can_not_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one side is empty"):
        split([write(tmp_path / "a.jsonl", visit(1, 1), visit(1, 2))], tmp_path / "out", By.patient)
    with pytest.raises(InputError, match="fewer than two"):
        split([write(tmp_path / "b.jsonl", visit(1, 1))], tmp_path / "out", By.time)
    with pytest.raises(InputError, match=r"c.jsonl, line 2"):
        split([write(tmp_path / "c.jsonl", visit(1, 1), {"id": "x"})], tmp_path / "out", By.time)


def test_notes_that_are_nearly_the_same_are_of_one_group() -> None:
    text = " ".join(f"word{i}" for i in range(200))
    other = " ".join(f"thing{i}" for i in range(200))
    bands = np.array([note_bands(t) for t in (text, other, text.replace("word7 ", "changed "), "", "")])
    assert near_groups(bands, np.zeros(5, dtype=np.uint64)).tolist() == [0, 1, 0, 2, 3]
    assert near_groups(bands, np.array([0, 5, 0, 5, 0], dtype=np.uint64)).tolist() == [0, 1, 0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 20)), min_size=2, max_size=60), st.floats(0.05, 0.5))
def test_no_group_is_on_both_sides(notes: list[tuple[int, int]], share: float) -> None:
    group, days = (np.array(x) for x in zip(*notes, strict=True))
    for side in (by_patient(group, share, 1), by_time(group, days, share)):
        assert not set(group[side == "train"].tolist()) & set(group[side == "test"].tolist())
    late = by_time(group, days, share)
    if (late == "train").any():
        assert days[late == "train"].max() < days[late == "test"].min()
