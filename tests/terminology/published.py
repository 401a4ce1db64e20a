"""Small files in the formats in which NCHS, CMS and the AMA publish them, with contents of our own."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, parse

INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
 <version>{year}</version><title>ICD-10-CM INDEX TO DISEASES and INJURIES</title>
 <letter><title>A</title>
  <mainTerm><title>Abscess<nemod>(connective tissue) (septic)</nemod></title><code>L02.91</code>
   <term level="1"><title>abdomen, abdominal</title>
    <term level="2"><title>cavity</title><code>K65.1</code></term></term>
   <term level="1"><title>specified site NEC</title><code>L02.818</code></term></mainTerm>
  <mainTerm><title>Afibrous gizzard</title><see>Abscess, abdomen, cavity</see></mainTerm>
  <mainTerm><title>Zonk fracture</title><code>S72.00-</code></mainTerm>
  <mainTerm><title>Arthritis, arthritic<nemod>(acute)</nemod></title><seeAlso>Osteoarthritis</seeAlso>
   <term level="1"><title>in (due to)</title><term level="2"><title>blorption</title>
    <code>A04.9</code><manif>M01.X0</manif></term></term></mainTerm>
 </letter>
</ICD10CM.index>
"""
EXTERNAL = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
 <version>{year}</version><title>ICD-10-CM EXTERNAL CAUSE of INJURIES INDEX</title>
 <letter><title>B</title><mainTerm><title>Bumped</title>
  <term level="1"><title>by wobbling turtle</title><code>W59.22-</code></term></mainTerm></letter>
</ICD10CM.index>
"""
DRUGS = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
 <version>{year}</version><title>ICD-10-CM TABLE of DRUGS and CHEMICALS</title>
 <indexHeading><head col="1">Substance</head><head col="2">Poisoning, Accidental (unintentional)</head>
  <head col="3">Poisoning, Intentional self-harm</head><head col="4">Poisoning, Assault</head>
  <head col="5">Poisoning, Undetermined</head><head col="6">Adverse effect</head><head col="7">Underdosing</head>
 </indexHeading>
 <letter><title>P</title><mainTerm><title>Paracetamoline</title><cell col="2">T39.1X1</cell>
  <cell col="3">T39.1X2</cell><cell col="4">T39.1X3</cell><cell col="5">T39.1X4</cell><cell col="6">T39.1X5</cell>
  <cell col="7">--</cell></mainTerm></letter>
</ICD10CM.index>
"""
NEOPLASMS = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index>
 <version>{year}</version><title>ICD-10-CM TABLE of NEOPLASMS</title>
 <indexHeading><head col="1">Site</head><head col="2">Malignant Primary</head><head col="3">Malignant Secondary</head>
  <head col="4">Ca in situ</head><head col="5">Benign</head><head col="6">Uncertain Behavior</head>
  <head col="7">Unspecified Behavior</head></indexHeading>
 <letter><title>N</title><mainTerm><title>Neoplasm, neoplastic</title><cell col="2">C80.1</cell>
  <term level="1"><title>gullet pipe</title><cell col="2">C15.9</cell><cell col="3">C78.89</cell>
   <cell col="4">D00.1</cell>
   <cell col="5">D13.0</cell><cell col="6">D37.8</cell><cell col="7">D49.0</cell></term></mainTerm></letter>
</ICD10CM.index>
"""
PCS_TABLES = """<?xml version="1.0" encoding="utf-8"?>
<ICD10PCS.tabular>
 <version>{year}</version>
 <pcsTable>
  <axis pos="1" values="1"><title>Section</title><label code="0">Medical and Surgical</label></axis>
  <axis pos="2" values="1"><title>Body System</title><label code="D">Gastrointestinal System</label></axis>
  <axis pos="3" values="1"><title>Operation</title><label code="T">Resection</label>
   <definition>All of it</definition></axis>
  <pcsRow codes="2">
   <axis pos="4" values="1"><title>Body Part</title><label code="J">Appendix</label></axis>
   <axis pos="5" values="2"><title>Approach</title><label code="0">Open</label>
    <label code="Y">Sung Softly</label></axis>
   <axis pos="6" values="1"><title>Device</title><label code="Z">No Device</label></axis>
   <axis pos="7" values="1"><title>Qualifier</title><label code="Z">No Qualifier</label></axis>
  </pcsRow>
 </pcsTable>
</ICD10PCS.tabular>
"""
PCS_DEFINITIONS = """<?xml version="1.0" encoding="utf-8"?>
<ICD10PCS.definitions>
 <version>{year}</version>
 <section code="0"><title>Medical and Surgical</title><axis pos="3"><title>Operation</title>
  <terms><title>Resection</title><definition>Cutting out all of a body part</definition>
   <explanation>None</explanation><includes>Total nephrectomy</includes></terms></axis></section>
</ICD10PCS.definitions>
"""
PCS_INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10PCS.index>
 <version>{year}</version>
 <letter><title>F</title><mainTerm><title>Flimflam removal</title><code>0DTJ0ZZ</code></mainTerm>
  <mainTerm><title>Excision</title><term level="1"><title>Appendix</title><tab>0DBJ</tab></term></mainTerm>
  <mainTerm><title>Hepatotomy</title><see>Drainage, Hepatobiliary System</see></mainTerm></letter>
</ICD10PCS.index>
"""
GEMS = "25000 E119    10000\n2500  NoDx    11000\n4019  I10     00000\n"
CPT_LONG = (
    "Procedure list of the Example Press, written for tests\r\nAll rights reserved 2026\r\n\r\n"
    "99213\tTalking with a known visitor about something moderately simple, words of this test\r\n"
    "0042T\tLooking at how the blood goes round in the head, words of this test, by a machine\r\n"
)


def hcpcs_record(
    code: str, kind: str, long: str, short: str = "", added: int = 0, acted: int = 0, ended: int = 0
) -> str:
    """A 320-column record of the HCPCS quarterly file."""
    line = f"{code:>5}00100{kind}{long:<80}{short:<28}".ljust(268)
    for day in (added, acted, ended):
        line += f"{day or '':<8}"
    return f"{line}N".ljust(320)


HCPCS_RECORDS = (
    ("E0110", "3", "Two sticks for walking, of wood, first line of our own", "Sticks wood", 19860101, 20260101, 0),
    ("E0110", "4", "and its second line", "", 0, 0, 0),
    ("J9999", "3", "A drug that stopped being paid", "Old drug", 20100101, 20260101, 20260331),
    ("D0120", "3", "Dental, never read", "Dental", 20000101, 20260101, 0),
    ("Q9876", "3", "A thing added in the spring", "Spring", 20260401, 20260401, 0),
    ("LT", "7", "Left side of things", "Left", 19860101, 20260101, 0),
)


def hcpcs_text() -> str:
    """A quarterly file in text."""
    return "".join(hcpcs_record(*r) + "\r\n" for r in HCPCS_RECORDS)


def hcpcs_workbook(path: Path) -> Path:
    """The same records as a workbook: notices, heads, records."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["Notices of the example"])
    descriptions, dates = ["LONG DESCRIPTION", "SHORT DESCRIPTION"], ["ADD DT", "ACT EFF DT", "TERM DT"]
    sheet.append(["HCPC", "SEQNUM", "RECID", *descriptions, "BETOS", *dates])
    for code, kind, long, short, added, acted, ended in HCPCS_RECORDS:
        sheet.append([code, 100, int(kind), long, short, None, added or None, acted or None, ended or None])
    book.save(path)
    return path


def order_line(number: int, code: str, billable: bool, title: str) -> str:
    """A line of a CMS order file."""
    return f"{number:05} {code:<7} {int(billable)} {title[:60]:<60} {title}\r\n"


def order_file(path: Path, titles: Iterable[tuple[str, str]]) -> Path:
    """An order file of billable codes."""
    lines = (order_line(n, code, True, title) for n, (code, title) in enumerate(titles, 1))
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return path


def tabular_of_another_year(source: Path, target: Path, year: int, change: bool, ended: Container[str] = ()) -> Path:
    """The tabular list in ``source`` as if published for ``year``, without the codes in ``ended`` (no dots).

    With ``change``, B20 is gone, M10.9 is renamed, I10 and R99 have become categories with I10.0 and R99.7.
    """
    tree: ElementTree = parse(source)
    root = tree.getroot()
    assert root is not None
    version = root.find("version")
    assert version is not None
    version.text = str(year)
    for holder in list(root.iter()) if change else ():
        for diag in holder.findall("diag"):
            name = diag.findtext("name") or ""
            if name.replace(".", "") in ended:
                holder.remove(diag)
            else:
                _alter(holder, diag, name)
    tree.write(target, encoding="utf-8", xml_declaration=True)
    return target


def _alter(holder: Element, diag: Element, name: str) -> None:
    title = diag.find("desc")
    assert title is not None
    if name == "B20":
        holder.remove(diag)
    elif name == "M10.9":
        title.text = "Gout of which nothing more is told"
    elif name == "I10":
        _below(diag, "I10.0", "Hypertension of the first kind")
    elif name == "R99":
        _below(diag, "R99.7", "Cause unknown, seventh kind")


def _below(diag: Element, name: str, title: str) -> None:
    child = SubElement(diag, "diag")
    SubElement(child, "name").text = name
    SubElement(child, "desc").text = title
