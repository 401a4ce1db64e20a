"""Differences of editions."""

from __future__ import annotations

import json
from datetime import date

import pytest
from conftest import Site

from codeassist.errors import TerminologyError
from codeassist.terminology.diff import ReleaseDiff, diff_releases, pattern_codes, render_text
from codeassist.terminology.imported import edition_day
from codeassist.terminology.store import Store


@pytest.fixture(scope="module")
def fy2027(store: Store) -> ReleaseDiff:
    return diff_releases(store, "2026-04", "2026-10")


def test_fy2027_adds_190_codes_and_removes_30(fy2027: ReleaseDiff) -> None:
    assert len(fy2027.added) == 190
    assert len(fy2027.retired) + len(fy2027.unbillable) == 30


def test_a_code_that_gained_children_became_a_category(fy2027: ReleaseDiff) -> None:
    change = next(c for c in fy2027.unbillable if c.code == "I42.0")
    assert change.below == ("I42.00", "I42.01", "I42.09")
    assert not {c.code for c in fy2027.unbillable} & {c.code for c in fy2027.retired}


def test_the_lexicon_lines_that_a_change_touches(fy2027: ReleaseDiff) -> None:
    touched = [text for c in fy2027.unbillable if c.code == "M72.2" for text in c.touches]
    assert any("plantar" in text for text in touched)
    assert all(".tsv:" in text for text in touched)


def test_editions_by_name_and_by_day_agree(store: Store, fy2027: ReleaseDiff) -> None:
    by_day = diff_releases(store, date(2026, 4, 1), date(2026, 10, 1))
    assert by_day == fy2027 == diff_releases(store, "2026-04-01", "FY2027")


def test_text_and_json_forms(fy2027: ReleaseDiff) -> None:
    text = render_text(fy2027)
    assert text.splitlines()[0].startswith("icd-10-cm, 2026-04-01 to 2026-10-01: 190 added")
    assert "now: I42.00, I42.01, I42.09" in text
    record = json.loads(json.dumps(fy2027.as_record()))
    assert (record["system"], record["old"], len(record["added"])) == ("icd-10-cm", "2026-04-01", 190)


def test_an_imported_edition_shows_what_it_renames(site: Site) -> None:
    diff = diff_releases(site.store, "FY2027", "FY2028")
    renamed = {c.code: c for c in diff.renamed}
    assert renamed["M10.9"].was == "Gout, unspecified"
    assert renamed["M10.9"].title == "Gout of which nothing more is told"
    assert "I10" in {c.code for c in diff.unbillable}
    assert "B20" in {c.code for c in diff.retired}
    assert {"I10.0", "R99.7"} <= {c.code for c in diff.added}


def test_other_systems(store: Store) -> None:
    diff = diff_releases(store, "FY2025", "FY2026", "icd-10-pcs")
    assert diff.added and not diff.unbillable


@pytest.mark.parametrize("name", ["2026", "soon", "FY27", "2026-13"])
def test_a_name_that_is_no_edition(store: Store, name: str) -> None:
    with pytest.raises(TerminologyError, match="is not an edition"):
        diff_releases(store, name, "2026-10")


def test_an_edition_that_is_not_held(store: Store) -> None:
    with pytest.raises(TerminologyError, match="no edition in force on 2030-10-01"):
        diff_releases(store, "2026-10", "2030-10")


def test_edition_days() -> None:
    assert edition_day("fy2026") == date(2025, 10, 1)
    assert edition_day("2026-04") == date(2026, 4, 1)


def test_patterns_of_the_lexicon_match_their_codes() -> None:
    pattern = pattern_codes("0SR{C=right|D=left}0J{9=cemented|A=uncemented|Z}")
    assert pattern.match("0SRC0JZ") and pattern.match("0SRD0JA") and not pattern.match("0SRB0JZ")
