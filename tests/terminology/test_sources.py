"""Readers of the published formats, one small file each."""

from __future__ import annotations

from pathlib import Path

import published
import pytest

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.cpt import read_cpt
from codeassist.terminology.sources.gems import read_gems
from codeassist.terminology.sources.hcpcs import read_hcpcs_text
from codeassist.terminology.sources.hcpcs_workbook import read_hcpcs_workbook
from codeassist.terminology.sources.icd10cm_cells import DRUG_COLUMNS, NEOPLASM_COLUMNS, read_cells
from codeassist.terminology.sources.icd10cm_index import read_index
from codeassist.terminology.sources.icd10cm_tabular import read_tabular
from codeassist.terminology.sources.icd10pcs_definitions import read_pcs_definitions
from codeassist.terminology.sources.icd10pcs_index import read_pcs_index
from codeassist.terminology.sources.icd10pcs_tables import read_pcs_tables
from codeassist.terminology.sources.order_file import read_codes_file, read_order_file


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_index_gives_paths_without_nonessential_modifiers(samples: dict[str, Path]) -> None:
    year, entries = read_index(samples["icd10cm_index_2026.xml"])
    by_path = {e.path: e for e in entries}
    assert year == "2026"
    assert by_path["Abscess",].code == "L02.91"
    assert by_path["Abscess",].modifiers == "(connective tissue) (septic)"
    assert by_path["Abscess", "abdomen, abdominal", "cavity"].code == "K65.1"
    assert by_path["Afibrous gizzard",].see == "Abscess, abdomen, cavity"
    assert by_path["Zonk fracture",].code == "S72.00-"
    assert by_path["Arthritis, arthritic", "in (due to)", "blorption"].manifestation == "M01.X0"


def test_external_causes_have_the_form_of_the_index(samples: dict[str, Path]) -> None:
    _, entries = read_index(samples["icd10cm_eindex_2026.xml"])
    assert [(e.path, e.code) for e in entries if e.code] == [(("Bumped", "by wobbling turtle"), "W59.22-")]


def test_table_of_drugs_gives_a_code_a_filled_column(samples: dict[str, Path]) -> None:
    _, entries = read_cells(samples["icd10cm_drug_2026.xml"], DRUG_COLUMNS)
    (entry,) = entries
    assert entry.codes["accidental"] == "T39.1X1"
    assert entry.codes["adverse"] == "T39.1X5"
    assert "underdosing" not in entry.codes


def test_table_of_neoplasms(samples: dict[str, Path]) -> None:
    _, entries = read_cells(samples["icd10cm_neoplasm_2026.xml"], NEOPLASM_COLUMNS)
    codes = {e.path: e.codes for e in entries}
    assert codes["Neoplasm, neoplastic", "gullet pipe"]["in_situ"] == "D00.1"


def test_a_table_with_other_columns_is_refused(samples: dict[str, Path]) -> None:
    with pytest.raises(TerminologyError, match="no column 'accidental'"):
        read_cells(samples["icd10cm_neoplasm_2026.xml"], DRUG_COLUMNS)


def test_pcs_tables_compose_titles_of_their_labels(tmp_path: Path) -> None:
    path = write(tmp_path, "t.xml", published.PCS_TABLES.format(year=2026))
    year, rows = read_pcs_tables(path)
    codes = [pair for row in rows for pair in row.codes()]
    assert year == "2026"
    assert codes == [("0DTJ0ZZ", "Resection, Appendix, Open"), ("0DTJYZZ", "Resection, Appendix, Sung Softly")]


def test_pcs_tables_whose_count_is_off_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "t.xml", published.PCS_TABLES.format(year=2026).replace('codes="2"', 'codes="9"'))
    with pytest.raises(TerminologyError, match="states 9 codes and has 2"):
        list(read_pcs_tables(path)[1])


def test_pcs_definitions_and_index(samples: dict[str, Path]) -> None:
    (definition,) = read_pcs_definitions(samples["icd10pcs_definitions_2026.xml"])[1]
    assert (definition.section, definition.position, definition.term) == ("0", 3, "Resection")
    codes = {e.path: e.code for e in read_pcs_index(samples["icd10pcs_index_2026.xml"])[1]}
    assert codes["Flimflam removal",] == "0DTJ0ZZ"
    assert codes["Excision", "Appendix"] == "0DBJ"


@pytest.mark.parametrize("form", ["text", "workbook"])
def test_hcpcs_joins_lines_and_skips_dental_codes(samples: dict[str, Path], tmp_path: Path, form: str) -> None:
    if form == "text":
        codes = list(read_hcpcs_text(samples["HCPC2026_APR_ANWEB.txt"]))
    else:
        codes = list(read_hcpcs_workbook(published.hcpcs_workbook(tmp_path / "HCPC2026_APR_ANWEB.xlsx")))
    by_code = {c.code: c for c in codes}
    assert list(by_code) == ["E0110", "J9999", "Q9876", "LT"]
    assert by_code["E0110"].long == "Two sticks for walking, of wood, first line of our own and its second line"
    assert by_code["J9999"].ended == 20260331
    assert by_code["LT"].modifier


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (published.hcpcs_record("E0110", "5", "text", "t", 20260101), "line 1: not a record"),
        (published.hcpcs_record("E0110", "3", "text", "t", 20261301), "'20261301' stands where the layout has a date"),
        (published.hcpcs_record("E01", "3", "text", "t", 20260101), "'E01' is no HCPCS code"),
        (published.hcpcs_record("E0110", "4", "text", "t", 20260101), "continuation line of 'E0110'"),
        (published.hcpcs_record("E0110", "3", "text", "t", 20260101)[:200], "line 1: not a record"),
    ],
)
def test_hcpcs_names_the_line_that_does_not_fit(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(TerminologyError, match=message):
        list(read_hcpcs_text(write(tmp_path, "h.txt", line + "\n")))


def test_cpt_skips_the_notices_and_keeps_their_year(samples: dict[str, Path]) -> None:
    file = read_cpt(samples["LONGULT.txt"])
    assert (file.length, file.year, [c.code for c in file.codes]) == ("long", 2026, ["99213", "0042T"])


@pytest.mark.parametrize(
    ("text", "length"),
    [("Notice 2026\n99213 OWN WORDS\n", "short"), ("99213\tOwn words, somewhat longer than that\n", "medium")],
)
def test_cpt_tells_the_length_of_its_descriptions(tmp_path: Path, text: str, length: str) -> None:
    assert read_cpt(write(tmp_path, "MEDU.txt", text)).length == length


def test_cpt_consolidated_list(tmp_path: Path) -> None:
    text = "Example 2026\nConcept Id\tCPT Code\tLong\tMedium\tShort\n1\t99213\tOwn words at length\tOWN WORDS\tOWN\n"
    (code,) = read_cpt(write(tmp_path, "Consolidated_Code_List.txt", text)).codes
    assert (code.code, code.description) == ("99213", "Own words at length")


def test_cpt_names_a_line_cut_short(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="line 3: not a CPT code"):
        read_cpt(write(tmp_path, "LONGULT.txt", "Example 2026\n99213\tOwn words\n992\n"))


def test_gems_run_either_way(tmp_path: Path) -> None:
    forward = list(read_gems(write(tmp_path, "2018_I9gem.txt", published.GEMS)))
    assert [(p.system, p.code, p.previous, p.approximate) for p in forward] == [
        ("icd-10-cm", "E119", "25000", True),
        ("icd-10-cm", "I10", "4019", False),
    ]
    (backward,) = read_gems(write(tmp_path, "2018_I10gem.txt", "E119    25000   10000\n"))
    assert (backward.code, backward.previous) == ("E119", "25000")
    (procedure,) = read_gems(write(tmp_path, "gem_i9pcs.txt", "4701  0DTJ4ZZ 00000\n"))
    assert (procedure.system, procedure.code) == ("icd-10-pcs", "0DTJ4ZZ")


def test_order_and_codes_files_in_either_encoding(tmp_path: Path) -> None:
    order = published.order_line(1, "M08", False, "Ménière") + published.order_line(2, "M0800", True, "Sjögren, plain")
    listed = list(read_order_file(write(tmp_path, "icd10cm_order_2026.txt", order, "cp1252")))
    assert [(c.code, c.title) for c in listed if c.billable] == [("M0800", "Sjögren, plain")]
    assert [(c.code, c.title) for c in listed if not c.billable] == [("M08", "Ménière")]
    (code,) = read_codes_file(write(tmp_path, "icd10cm_codes_2026.txt", "A000    Cholera of a kind\n"))
    assert (code.code, code.title) == ("A000", "Cholera of a kind")


def test_entities_that_expand_are_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><ICD10CM.index><version>&a;</version></ICD10CM.index>'
    with pytest.raises(TerminologyError, match="not readable as XML"):
        read_index(write(tmp_path, "i.xml", bomb))


def test_tabular_expands_seventh_characters(tmp_path: Path) -> None:
    text = """<ICD10CM.tabular><version>2026</version><chapter><name>19</name><desc>Injury</desc>
    <section id="S00-S09"><desc>Head</desc><diag><name>S00</name><desc>Head skin</desc>
    <excludes2><note>burn</note></excludes2>
    <sevenChrDef><extension char="A">initial encounter</extension><extension char="D">subsequent encounter</extension>
    </sevenChrDef><diag><name>S00.0</name><desc>Scalp</desc></diag></diag></section></chapter></ICD10CM.tabular>"""
    year, entries = read_tabular(write(tmp_path, "tab.xml", text))
    rows = {e.code: e for e in entries}
    assert year == "2026"
    assert list(rows) == ["chapter 19", "S00-S09", "S00", "S00.0", "S00.0XXA", "S00.0XXD"]
    assert rows["S00.0XXA"].title == "Scalp, initial encounter"
    assert rows["S00"].notes["excludes2"] == ("burn",)
