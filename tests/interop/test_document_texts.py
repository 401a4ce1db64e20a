"""The text of documents: what a reader would see, and a clear answer for what can't be read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from documents import BOMB, CDA, CDA_TEXT, HTML, OUTSIDE, RTF, pdf
from hypothesis import given, settings
from hypothesis import strategies as st

from api.interop.fhir.texts import READERS, UnreadableDocument, text_of


@pytest.mark.parametrize(
    ("data", "media_type", "charset", "text"),
    [
        ("Ménière\r\n  disease ".encode(), "text/plain", None, "Ménière\r\n  disease "),
        ("Ménière".encode("latin-1"), "text/plain", "ISO-8859-1", "Ménière"),
        ("Ménière".encode("utf-16"), "text/plain", None, "Ménière"),
        (b"\xef\xbb\xbfgout", "text/plain", None, "gout"),
        (HTML.encode(), "text/html", "utf-8", "Assessment\n\nEssential hypertension\n\nGout & obesity\n\nHbA1c\t7.9\n"),
        ("<p>Ménière</p>".encode("latin-1"), "text/html", "iso-8859-1", "Ménière\n"),
        (RTF, "application/rtf", None, "Assessment:\n1. Gout of the left foot.\n2. Ménière disease."),
        (pdf("Assessment:", "Gout, left foot."), "application/pdf", None, "Assessment:\nGout, left foot.\n"),
        (CDA.encode(), "text/xml", None,
         "Assessment:\n\nEssential hypertension\n\nGout\n\nHypothyroidism\ton levothyroxine\n"),
    ],
)  # fmt: skip
def test_each_format_gives_what_a_reader_sees(data: bytes, media_type: str, charset: str | None, text: str) -> None:
    assert text_of(data, media_type, charset) == text


def test_a_document_inside_a_cda_is_read() -> None:
    assert "Essential hypertension" in text_of(CDA_TEXT.encode(), "application/xml")


@pytest.mark.parametrize(
    ("data", "media_type", "charset", "words"),
    [
        ("Ménière".encode("latin-1"), "text/plain", None, "byte 1"),
        (b"gout", "text/plain", "klingon", "not known"),
        (b"gout", "text/plain", "base64", "not known"),
        (b"gout", "image/png", None, "can't be read"),
        (b"  \n ", "text/plain", None, "no text"),
        (b"<script>x</script>", "text/html", None, "no text"),
        (b"plain", "text/rtf", None, "no RTF"),
        (b"%PDF-1.4 rubbish", "application/pdf", None, "damaged"),
        (b"no pdf", "application/pdf", None, "damaged"),
        (pdf(), "application/pdf", None, "OCR"),
        (b"<a>", "text/xml", None, "well formed"),
        (b"<a/>", "text/xml", None, "no C-CDA"),
        (BOMB.encode(), "text/xml", None, "entities"),
        (OUTSIDE.encode(), "text/xml", None, "entities"),
        (CDA_TEXT.replace("text/html", "text/xml").encode(), "text/xml", None, "XML again"),
    ],
)
def test_what_can_not_be_read_is_said(data: bytes, media_type: str, charset: str | None, words: str) -> None:
    with pytest.raises(UnreadableDocument, match=words):
        text_of(data, media_type, charset)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(READERS)),
    st.sampled_from([b"", b"%PDF-1.4\n", b"{\\rtf1 ", b"<ClinicalDocument xmlns='urn:hl7-org:v3'>"]),
    st.binary(max_size=300),
    st.sampled_from([None, "utf-8", "latin-1", "utf-16", "\0", "idna"]),
)
def test_any_bytes_give_text_or_a_reason(media_type: str, start: bytes, data: bytes, charset: str | None) -> None:
    text_or_reason(start + data, media_type, charset)


def test_nesting_and_cut_files_give_a_reason() -> None:
    deep = "<div>" * 20_000 + "gout"
    text_or_reason(deep.encode(), "text/html")
    text_or_reason(b"{\\rtf1 " + b"{" * 50_000, "text/rtf")
    whole = pdf("Gout of the left foot")
    for length in range(10, len(whole), 37):
        text_or_reason(whole[:length], "application/pdf")


def text_or_reason(data: bytes, media_type: str, charset: str | None = None) -> None:
    """Any other exception fails the test, and so does a text of blanks."""
    with suppress(UnreadableDocument):
        assert text_of(data, media_type, charset).strip()
