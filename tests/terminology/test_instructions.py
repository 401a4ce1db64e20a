"""The tabular's instructional notes: what was read of them, what they name, and how they are inherited."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeassist.terminology.editions import official_codes
from codeassist.terminology.instruction_index import Report, parse_instructions, read_readings
from codeassist.terminology.instruction_rows import merged, tabular_order
from codeassist.terminology.instruction_targets import UnreadableCondition, condition_of, scope, targets
from codeassist.terminology.instructions import KINDS, Instruction, Kind
from codeassist.terminology.layout import SYSTEM_NUMBERS
from codeassist.terminology.store import Store


def row(store: Store, code: str) -> int:
    found = store.row("icd-10-cm", code)
    assert found is not None, code
    return found


def notes(store: Store, code: str, kind: Kind) -> tuple[Instruction, ...]:
    return store.instructions.of(row(store, code), kind)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    read = [c for c in official_codes(tmp_path_factory.mktemp("no-imports")) if c.system != "icd-10-pcs"]
    codes = sorted(read, key=lambda c: (SYSTEM_NUMBERS[c.system], c.key))
    return parse_instructions(codes, tabular_order(read))[1]


def test_every_line_of_the_release_is_read(report: Report) -> None:
    assert report.unread == []
    counts = {k: (report.with_targets[k], report.headings[k], report.text_only[k]) for k in KINDS}
    assert counts == {
        "excludes1": (5280, 54, 73),
        "excludes2": (2486, 16, 18),
        "code_first": (598, 134, 77),
        "use_additional_code": (1171, 173, 141),
        "code_also": (473, 102, 80),
    }


def test_codes_that_the_tabular_names_and_no_release_has(report: Report) -> None:
    assert [(r.owner, r.printed) for r in report.dropped] == [("F02", "(G31.90)")]
    assert all(r.reason for r in read_readings())


@pytest.mark.parametrize(
    ("owner", "kind", "named", "not_named"),
    [
        ("E10.9", "excludes1", "E11.65 E08.9 E13.9 O24.410 R73.9 P70.2", "E10.65 E66.9 R73.03"),
        ("I11.0", "use_additional_code", "I50.9 I50.84 F17.210", "N18.4 I51.9"),
        ("I13.2", "use_additional_code", "N18.5 N18.6 I50.22", "N18.4 N18.9"),
        ("N18.4", "code_first", "E11.22 E08.22 I12.9 I13.10", "E11.21 I11.0"),
        ("F02.80", "code_first", "G30.9 B20 G20.C S06.2X9S T40.1X1S E03.9 G31.09 B56.9 B57.40", "G31.84 I63.9 B58.9"),
        ("J44.0", "code_also", "J45.50", "J20.9"),
        ("O24.011", "use_additional_code", "E10.9 Z3A.20", "E11.9"),
        ("O10.111", "use_additional_code", "I11.0 I11.9", "I10 I12.9"),
        ("O00.101", "use_additional_code", "O08.0 O08.9", "O07.4"),
        ("O98.511", "use_additional_code", "B19.9 A15.0", "J18.9"),
        ("M1A.0710", "use_additional_code", "N08 N22 G99.0", "N18.4"),
        ("M07.60", "code_also", "K50.90 K51.90", "K52.9"),
        ("D64.2", "code_first", "T40.1X1A T36.91XA T43.651A T65.891A", "T40.2X5A T45.1X6A T36.95XA T66.XXXA"),
        ("D61.1", "use_additional_code", "T45.1X5A T36.95XA T43.655A T50.905A", "T45.1X1A T43.651A T45.511A"),
        ("Z91.120", "code_first", "T45.1X6A T36.96XA", "T45.1X5A"),
        ("G93.7", "code_first", "T39.011A T39.094A", "T39.015A T39.311A"),
        ("F07.81", "excludes1", "S06.0X0A", "S06.0X0D S06.0X0S S06.2X0A"),
        ("F07.81", "code_also", "S06.0X9S", "S06.0X9A"),
        ("S51.801A", "excludes1", "S52.001B S52.001C", "S52.001A S52.001E"),
        ("G63", "excludes1", "E11.42 E08.42 E13.42 B27.01", "E11.40 B27.02"),
        ("F20.9", "excludes2", "F11.150 F15.251 F19.959", "F11.10 F19.10"),
        ("R13.10", "code_first", "I69.391 I69.091", "I69.390 I69.351"),
        ("R41.3", "excludes1", "F10.26 F19.96", "F10.27 F10.20"),
        ("F06.70", "excludes1", "I69.010 I69.319 I69.910", "I69.051 I69.320"),
        ("E87.20", "excludes1", "E11.10 E08.11 E13.10", "E11.00 E11.9"),
        ("E87.0", "excludes2", "E11.00 E13.01", "E10.10 E11.10"),
        ("Z23", "code_also", "Z71.85", "Z71.84"),
        ("Z01.411", "use_additional_code", "Z11.51 Z12.72 Z90.710", "Z12.4"),
        ("D59.6", "use_additional_code", "V43.52XA Y92.003", "T45.1X5A"),
        ("Z36.0", "excludes1", "O35.00X0 O9A.111", "P07.30"),
        ("G31.83", "use_additional_code", "F02.80", "F03.90"),
        ("T45.1X5A", "code_first", "D70.1 K29.00 T88.7XXA", "R11.0"),
    ],
)
def test_what_the_notes_of_a_code_name(store: Store, owner: str, kind: Kind, named: str, not_named: str) -> None:
    held = notes(store, owner, kind)
    assert [c for c in named.split() if not any(n.names(row(store, c)) for n in held)] == []
    assert [c for c in not_named.split() if any(n.names(row(store, c)) for n in held)] == []


def test_a_restriction_of_the_note_to_some_codes_holds(store: Store) -> None:
    """G31: "for codes G31.0-G31.83, G31.85-G31.9"; T36-T50: "for adverse effects"."""
    dementia = row(store, "F02.80")
    assert store.instructions.between(row(store, "G31.01"), dementia, "use_additional_code") is not None
    assert store.instructions.between(row(store, "G31.84"), dementia, "use_additional_code") is None
    assert notes(store, "T40.1X1A", "code_first") == ()


def test_a_note_holds_for_what_is_below_it_nearest_first(store: Store) -> None:
    found = notes(store, "G32.81", "code_first")
    assert [store.code(n.owner) for n in found] == ["G32.81", "G32.8"]
    chapters = [store.code(n.owner) for n in notes(store, "E10.9", "excludes1")]
    assert chapters[-1] == "chapter 4" and chapters[0] == "E10"
    assert {store.code(n.owner) for n in notes(store, "S06.0X1A", "use_additional_code")} == {"S06", "chapter 19"}


def test_a_heading_and_its_lines_are_one_note(store: Store) -> None:
    (note,) = notes(store, "F02.80", "code_first")
    assert note.text.startswith("the underlying physiological condition, such as: Alzheimer's (G30.-); ")
    assert note.examples and not note.conditional and len(note.written) == 24
    assert note.written[0] == "G30.-"
    hypoglycemia, control = (
        notes(store, "E09.649", "use_additional_code")[0],
        notes(store, "E09.9", "use_additional_code"),
    )
    assert hypoglycemia.written == ("E16.A-",) and hypoglycemia.conditional
    assert [n.written[0] for n in control] == ["T36-T50 with fifth or sixth character 5", "Z79.85"]


@pytest.mark.parametrize(
    ("code", "kind", "conditional"),
    [
        ("J18.9", "code_first", True),
        ("N18.4", "code_first", True),
        ("D63.1", "code_first", False),
        ("E11.22", "use_additional_code", False),
        ("D57.1", "use_additional_code", True),
        ("G43.909", "use_additional_code", True),
        ("J44.9", "code_also", True),
        ("M93.003", "use_additional_code", True),
    ],
)
def test_wording_that_leaves_it_to_the_circumstances(store: Store, code: str, kind: Kind, conditional: bool) -> None:
    nearest = next(n for n in notes(store, code, kind) if not store.code(n.owner).startswith("chapter"))
    assert nearest.conditional is conditional


def test_an_exclusion_with_unless_is_conditional(store: Store) -> None:
    assert [n.written for n in notes(store, "I01.0", "excludes1") if n.conditional] == [("I05-I09",)]


def test_a_note_without_codes_is_kept(store: Store) -> None:
    (note, *_) = notes(store, "J44.0", "code_also")
    assert note.text == "to identify the infection" and note.written == () and note.rows == ()
    assert note.examples and not note.names(row(store, "J18.9"))


def test_a_range_of_categories_runs_in_the_tabulars_order(store: Store) -> None:
    """M1A stands before M10, C7A after C75: M05-M14 has the one, C00-C75 lacks the other."""
    held = notes(store, "Z15.01", "code_first")
    assert not any(n.names(row(store, "C7A.00")) for n in held)
    assert any(n.names(row(store, "C50.911")) for n in held)


def test_links_of_a_claim_are_those_of_its_pairs(store: Store) -> None:
    codes = ["E11.22", "N18.30", "I50.9", "I11.0", "G30.9", "F02.80", "E10.9", "T45.1X5A", "D70.1", "J18.9", "J10.08"]
    rows = [row(store, c) for c in codes]
    for kind in KINDS:
        by_pair = {
            (i, j, n.number)
            for i, a in enumerate(rows)
            for n in store.instructions.of(a, kind)
            for j, b in enumerate(rows)
            if i != j and n.names(b)
        }
        assert {(i, j, n.number) for i, j, n in store.instructions.links(rows, kind)} == by_pair
        unmet = {
            (i, n.number)
            for i, a in enumerate(rows)
            for n in store.instructions.of(a, kind)
            if n.rows and not any(n.names(b) for b in rows)
        }
        assert {(i, n.number) for i, n in store.instructions.unmet(rows, kind)} == unmet


def test_excluding_is_excludes1(store: Store) -> None:
    at = row(store, "E10.9")
    assert store.instructions.excluding(at) == store.instructions.of(at, "excludes1")
    found = store.instructions.between(at, row(store, "E11.9"), "excludes1")
    assert found is not None and found.text == "type 2 diabetes mellitus (E11.-)"


def test_ranges_of_every_note_are_ordered_apart_and_in_the_release(store: Store) -> None:
    _, end = store.system_range("icd-10-cm")
    for number in range(len(store.instructions)):
        note = store.instructions[number]
        assert all(0 <= r.start < r.stop <= end for r in note.rows), note
        assert all(a.stop < b.start for a, b in pairwise(note.rows)), note
        assert bool(note.rows) == bool(note.written), note


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_merged_ranges_cover_the_same_rows_once(ranges: list[tuple[int, int]]) -> None:
    out = merged(ranges)
    assert all(a < b for a, b in out) and all(a[1] < b[0] for a, b in pairwise(out))
    assert {r for a, b in out for r in range(a, b)} == {r for a, b in ranges for r in range(a, b)}


CODES = st.builds(
    lambda letter, digit, third, tail: f"{letter}{digit}{third}" + (f".{tail}" if tail else ""),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    st.sampled_from("0123456789"),
    st.sampled_from("0123456789AB"),
    st.text("0123456789X", max_size=3),
)


@given(
    st.lists(st.tuples(CODES, st.none() | CODES, st.booleans()), min_size=1, max_size=5),
    st.sampled_from(["-", " - ", "--", " to "]),
)
def test_a_list_of_codes_and_ranges_is_read_as_written(items: list[tuple[str, str | None, bool]], dash: str) -> None:
    written = [
        f"{low}{dash}{high}" if high else f"{low}{'.-' if len(low) == 3 and open_ else ''}"
        for low, high, open_ in items
    ]
    found = targets(f"some condition ({', '.join(written)})")
    assert [(t.low, t.high) for t in found] == [
        (low.replace(".", ""), (high or low).replace(".", "")) for low, high, _ in items
    ]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("fracture of cervical vertebra (S12.0--S12.6.-)", "S120-S126"),
        ("apnea of newborn (P28.3- - P28.4-)", "P283-P284"),
        ("helminthiasis (B65.0 -B83.9)", "B650-B839"),
        ("by site, if known (M05.00 to M05.8A)", "M0500-M058A"),
        ("cerebral hemorrhage (I60.-. I61.-, I62.-)", "I60-I60 I61-I61 I62-I62"),
        ("conditions classifiable to S06.0- to S06.8-code to specified intracranial injury", "S060-S068"),
        ("pneumoconiosis with tuberculosis, any type in A15 (J65)", "J65-J65"),
        ("vitamin B12 deficiency anemia (D51.-)", "D51-D51"),
        ("influenza A/H1N1 (J10.-)", "J10-J10"),
        ("acquired absence of knee joint (Z89.52-", "Z8952-Z8952"),
        ("electrolyte imbalance (E87.8}", "E878-E878"),
        ("gangrene (K82.A1), or perforation of gallbladder (K82.A2)", "K82A1-K82A1 K82A2-K82A2"),
        ("Henoch (-Schönlein) purpura (D69.0)", "D690-D690"),
        ("code(s) from F11-F16 and F18-F19 to identify manifestations", "F11-F16 F18-F19"),
        ("the infection", ""),
        ("malignant neoplasm - see Table of Neoplasms, by site, malignant", ""),
        ("aftercare for healing fracture-code to fracture with 7th character D", ""),
    ],
)
def test_the_ways_in_which_the_tabular_writes_codes(line: str, read: str) -> None:
    assert " ".join(f"{t.low}-{t.high}" for t in targets(line)) == read


def test_a_condition_in_unknown_words_is_refused() -> None:
    with pytest.raises(UnreadableCondition):
        condition_of("a blue character")
    assert condition_of("fifth or sixth character 1-4 or 6")("T451X6A")
    assert [t.low for t in scope("code, for codes A15, A17.0, to identify: x")] == ["A15", "A170"]
