"""What a message says: escapes, character sets, text, dates and identity, each against the standard's own words."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest
from hl7_samples import mdm
from hypothesis import given
from hypothesis import strategies as st

from api.interop.hl7v2.document import read_document
from api.interop.hl7v2.errors import Refused
from api.interop.hl7v2.escapes import Delimiters, escape, unescape
from api.interop.hl7v2.framing import Framer, framed
from api.interop.hl7v2.message import read_message
from api.interop.hl7v2.tables import codec_of, rows

RTF = rb"{\rtf1\ansi Type 2 diabetes \b mellitus\b0.\par Gout.}"


def note(message: str, encoding: str = "utf-8") -> dict[str, Any]:
    document = read_document(read_message(message.encode(encoding)))
    assert document.note is not None
    return dict(document.note)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"A \T\ B", "A & B"),
        (r"\F\\S\\T\\R\\E\ ", "|^&~\\ "),
        (r"one\.br\two", "one\ntwo"),
        (r"one\.sp\two", "one\ntwo"),
        (r"one\.sp3\two", "one\n\n\ntwo"),
        (r"a\.sk4\b", "a    b"),
        (r"\.ce\Title", "\nTitle"),
        (r"\.in+4\\.fi\indented\.nf\ ", "indented "),
        (r"\.ti2\x", "  x"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"\X48656C6C6F\ ", "Hello "),
        (r"caf\XC3A9\ ", "café "),
        (r"\Zlocal\kept", "kept"),
        (r"\C2842\kept", "kept"),
        (r"5\6 of C:\dir", r"5\6 of C:\dir"),
        (r"ends in \ ", "ends in \\ "),
        (r"\E\T\E\ ", r"\T\ "),
    ],
)
def test_escape_sequences(written: str, meant: str) -> None:
    assert unescape(written, Delimiters(), "utf-8") == meant


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",))))
def test_what_is_escaped_is_read_back(text: str) -> None:
    assert unescape(escape(text), Delimiters(), "utf-8") == text
    assert not set("|^~&\n") & set(escape(text))


def test_lines_and_repetitions_are_lines_and_offsets_count_what_they_say() -> None:
    text = note(mdm(lines=(r"First \T\ 1~second", "third", r"4\.br\5")))["text"]
    assert text == "First & 1\nsecond\nthird\n4\n5"


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("", "utf-8"), ("UNICODE UTF-8", "utf-8"), ("8859/1", "iso8859-1"), ("8859/15", "iso8859-15"), ("", "iso8859-1")],
)
def test_character_sets(charset: str, codec: str) -> None:
    assert note(mdm(charset=charset, lines=("Ménière 38 °C",)), codec)["text"] == "Ménière 38 °C"


def test_other_character_sets() -> None:
    assert note(mdm(charset="8859/2", lines=("Łódź",)), "iso8859-2")["text"] == "Łódź"
    assert note("\ufeff" + mdm(charset="", lines=("Ménière",)), "utf-16-le")["text"] == "Ménière"
    assert all(codec_of(name) is not None and "x".encode(codec) for name, codec in rows("charsets.tsv"))


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        (b"Type 2 diabetes\r\nGout", "^TEXT^plain^Base64^", "Type 2 diabetes\nGout"),
        ("Ménière".encode(), "^TEXT^plain^Base64^", "Ménière"),
        (b"<p>Type 2</p><p>Gout</p>", "^TEXT^HTML^Base64^", "Type 2\nGout"),
        (RTF, "^AP^RTF^Base64^", "Type 2 diabetes mellitus.\nGout."),
    ],
)
def test_encapsulated_data(value: bytes, kind: str, meant: str) -> None:
    assert note(mdm(value_type="ED", lines=(kind + base64.b64encode(value).decode(),)))["text"].strip() == meant


def test_other_separators() -> None:
    odd = mdm(lines=(r"A \T\ B",)).translate(str.maketrans("|^~\\&", "#@*!%"))
    assert note(odd)["text"] == "A % B"


def test_the_note_of_a_message() -> None:
    assert note(mdm()) == {
        "id": "DOC-1",
        "text": "Assessment: Type 2 diabetes mellitus.",
        "setting": "outpatient",
        "date_of_service": "2026-03-02",
        "note_type": "progress",
        "patient": {"id": "12345", "age": 60, "sex": "F"},
    }
    stay = note(mdm(patient_class="I", admitted="20260227", discharged="202603051200", kind="DS"))
    assert (stay["setting"], stay["date_of_service"], stay["note_type"]) == (
        "inpatient",
        "2026-03-05",
        "discharge summary",
    )
    assert note(mdm(patient_class="E", admitted=""))["date_of_service"] == "2026-03-02"
    assert note(mdm(patient_class="E"))["setting"] == "emergency"
    assert note(mdm(kind="XX^Local letter^L"))["note_type"] == "progress", "the LOINC code of OBX-3 says it"
    assert note(mdm(kind="11504-8^Op note^LN"))["note_type"] == "operative"
    assert "patient" not in note(mdm(pid=""))


def test_every_document_type_is_named_once() -> None:
    keys = [(system, code) for system, code, _ in rows("document_types.tsv")]
    assert len(set(keys)) == len(keys) and all(len(row) == 3 and row[2] for row in rows("document_types.tsv"))


@pytest.mark.parametrize(
    ("message", "code", "where"),
    [
        ("nothing", "100", "MSH^1"),
        ("MSH|^~", "100", "MSH^1^2"),
        (mdm(txa=""), None, None),
        (mdm(document=""), "101", "TXA^1^12"),
        (mdm(event="T10"), "101", "TXA^1^13"),
        (mdm(originated="2026-03-02"), "102", "TXA^1^6"),
        (mdm(completion="ZZ"), "103", "TXA^1^17"),
        (mdm(lines=()), "101", "OBX^1^5"),
        (mdm(lines=(" ",)), "101", "OBX^1^5"),
        (mdm(value_type="RP"), "103", "OBX^1^2"),
        (mdm(value_type="ED", lines=("^TEXT^plain^Base64^***",)), "102", "OBX^1^5^1^5"),
        (mdm(value_type="ED", lines=("^IM^JPEG^Base64^AAAA",)), "103", "OBX^1^5^1^5"),
        (mdm(charset="EBCDIC"), "103", "MSH^1^18"),
        (mdm(pid="PID|1||1||X||19650431|F"), "102", "PID^1^7"),
        (mdm(pid="PID|1||1||X||20300101|F"), "102", "PID^1^7"),
        (mdm() + "and more\r", "100", ""),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(message: str, code: str | None, where: str | None) -> None:
    if code is None:
        message, code, where = message.replace("TXA|", "ZXA|"), "100", "TXA^1"
    with pytest.raises(Refused) as refused:
        read_document(read_message(message.encode()))
    assert (refused.value.code, str(refused.value.location or "")) == (code, where)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for given_bytes in (data, b"MSH|^~\\&|" + data, mdm().encode()[:180] + data):
        with suppress(Refused):
            read_document(read_message(given_bytes))


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda b: not set(b) & {0x0B, 0x1C}), max_size=6),
    st.integers(1, 7),
)
def test_frames_are_found_however_they_are_split(messages: list[bytes], size: int) -> None:
    stream = b"noise".join(framed(m) for m in messages)
    framer = Framer(100)
    found = [f for i in range(0, len(stream), size) for f in framer.feed(stream[i : i + size])]
    assert [(f.data, f.fault) for f in found] == [(m, None) for m in messages]


def test_damaged_frames_are_told_and_the_next_one_is_found() -> None:
    framer = Framer(10)
    found = list(framer.feed(b"\x0bbroken\x0bwhole\x1c\rlost\x1c\r\r\n\x0b" + b"x" * 30 + b"\x1c\r\x0bend\x1c\r"))
    assert [f.data[:10] for f in found] == [b"broken", b"whole", b"lost", b"x" * 10, b"end"]
    assert [f.fault is None for f in found] == [False, True, False, False, True]
