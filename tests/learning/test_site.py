"""A site's own parts: checked, used, versioned with the release, and free of cost when there are none."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import Doc, Span

import codeassist
from codeassist import cli
from codeassist.errors import InputError
from codeassist.nlp import detectors
from codeassist.nlp.reading import NoteReader
from codeassist.note import Document, Note
from codeassist.settings import Settings, settings
from codeassist.site import check_site, read_site, with_site
from codeassist.terminology.store import Store
from training.audited import read_audited

DAY = date(2026, 3, 2)
LEXICON = "term\tsystem\tcode\tkind\tcontext\tremark\n"
ABBREVIATIONS = "abbreviation\tmeaning\tcontext\tremark\n"
CUES = "cue\tstatus\tdirection\treach\n"
SECTIONS = "kind\theadings\n"
LOCAL = "local\tsystem\tcode\ttitle\n"


@pytest.fixture(scope="module", autouse=True)
def _commands_of_all_parts() -> None:
    cli.add_commands()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site with one line of each kind."""
    made = tmp_path / "site"
    made.mkdir()
    for name, text in {
        "lexicon.tsv": LEXICON + "zorblax fever\ticd-10-cm\tA77.0\tname\t\t\n",
        "abbreviations.tsv": ABBREVIATIONS + "ZQX\tzorblax fever\t\t\nQGO\tgout\t\t\n",
        "sections.tsv": SECTIONS + "assessment\tward verdict|verdict\n",
        "cues.tsv": CUES + "nix\tnegated\tforward\t8\n",
        "local_codes.tsv": LOCAL + "GOUT1\ticd-10-cm\tM10.9\t\nXX-77\ticd-10-cm\t\tWard's own follow-up\n",
    }.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def plain_codes(reader: NoteReader, store: Store, text: str) -> set[str]:
    read = reader.document(Document(text))
    assert read.notes.mentions is not None
    return {store.code(r) for r in store.phrases.row[read.notes.mentions.phrase].tolist() if r >= 0}


def codes_in(store: Store, text: str) -> set[str]:
    return plain_codes(NoteReader(store), store, text)


def test_terms_and_abbreviations_are_found_and_the_shared_index_stays(store: Store, folder: Path) -> None:
    mine = with_site(store, read_site(folder))
    text = "Has zorblax fever and QGO."
    assert codes_in(mine, text) >= {"A77.0", "M10.9"} and "A77.0" in codes_in(mine, "Impression: ZQX")
    assert codes_in(mine, "zqx in small letters") == codes_in(store, "zqx in small letters")
    assert not codes_in(store, text) & {"A77.0", "M10.9"}


def test_headings_and_cues(store: Store, folder: Path) -> None:
    text = "Ward verdict: nix pneumonia. Cough."
    read = NoteReader(with_site(store, read_site(folder))).document(Document(text))
    assert [s.kind for s in read.notes.sections] == ["assessment"]
    assert read.notes.status[list(read.doc).index(next(t for t in read.doc if t.text == "pneumonia"))] == 1
    plain = NoteReader(store).document(Document(text))
    assert [s.kind for s in plain.notes.sections] != ["assessment"] and not plain.notes.status.any()


def test_a_phrase_of_the_site_takes_the_place_of_ours(store: Store, tmp_path: Path) -> None:
    (tmp_path / "lexicon.tsv").write_text(LEXICON + "gout\ticd-10-cm\tM11.9\tname\t\t\n", encoding="utf-8")
    (problem,) = check_site(tmp_path, store, DAY)
    assert problem.level == "warning" and "M10.9" in problem.message
    assert codes_in(with_site(store, read_site(tmp_path)), "gout") == {"M11.9"}


@pytest.mark.parametrize(
    ("file", "text", "line", "message"),
    [
        ("lexicon.tsv", LEXICON + "knee woe\ticd-10-cm\tZZ9.99\tname\t\t", 2, "in no release"),
        ("lexicon.tsv", LEXICON + "# remark\n\nknee woe\ticd-10-cm\tM25.56\tname\t\t", 4, "not billable"),
        ("lexicon.tsv", LEXICON + "knee woe\ticd-9\tM25.56\tname\t\t", 2, "unknown system"),
        ("lexicon.tsv", LEXICON + "knee woe\ticd-10-cm\tM10.9\tword\t\t", 2, "unknown kind"),
        ("lexicon.tsv", LEXICON + "the of\ticd-10-cm\tM10.9\tname\t\t", 2, "no word"),
        ("lexicon.tsv", LEXICON + "knee woe\ticd-10-cm", 2, "columns"),
        ("lexicon.tsv", "term\tcode\nx\ty", 1, "columns must be"),
        ("abbreviations.tsv", ABBREVIATIONS + "ZZT\tno such thing known", 2, "no term"),
        ("abbreviations.tsv", ABBREVIATIONS + "X\tgout", 2, "single letter"),
        ("sections.tsv", SECTIONS + "verdicts\tverdict", 2, "unknown kind"),
        ("cues.tsv", CUES + "nix\tdenied\tforward\t8", 2, "unknown status"),
        ("cues.tsv", CUES + "nix\tnegated\tforward\tfar", 2, "number of tokens"),
        ("cues.tsv", CUES + "nix\tnegated\tup\t3", 2, "unknown direction"),
        ("local_codes.tsv", LOCAL + "M10.9\ticd-10-cm\tM10.9", 2, "itself"),
        ("local_codes.tsv", LOCAL + "L1\ticd-10-cm\tM25.56", 2, "not billable"),
        ("local_codes.tsv", LOCAL + "L1\ticd-10-cm\t\t", 2, "needs a title"),
        ("terms.tsv", "a\tb", 1, "no such file"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    store: Store, tmp_path: Path, file: str, text: str, line: int, message: str
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    errors = [p for p in check_site(tmp_path, store, DAY) if p.level == "error"]
    assert [(p.file, p.line) for p in errors] == [(file, line)] and message in errors[0].message


def test_files_that_can_not_be_read(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        check_site(tmp_path / "none", store)
    (tmp_path / "cues.tsv").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in check_site(tmp_path, store)[0].message
    with pytest.raises(InputError, match=r"cues\.tsv, line 1"):
        read_site(tmp_path)


def test_the_check_as_a_command(run_here: Any, folder: Path) -> None:
    done = run_here("site", "check", str(folder))
    assert done.returncode == 0 and b"0 errors" in done.stdout
    (folder / "cues.tsv").write_text(CUES + "nix\tno\tforward\t8", encoding="utf-8")
    done = run_here("site", "check", str(folder), "--format", "json")
    assert done.returncode == 1 and json.loads(done.stdout)[0]["file"] == "cues.tsv"


def test_a_release_keeps_its_copy_and_uses_it(run: Any, folder: Path, tmp_path: Path) -> None:
    records = [
        {
            "id": f"{i}",
            "text": f"Verdict: {('Zorblax fever, doxycycline', 'Big toe hurts, colchicine')[i % 2]}. Visit {i}.",
            "date_of_service": "2026-03-02",
            "codes": [{"system": "icd-10-cm", "code": ("XX-77", "GOUT1")[i % 2]}],
        }
        for i in range(20)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    arguments = ("train", "--audited", "a.jsonl", "--out", "new", "--labels", "audited")
    done = run(*arguments, CODEASSIST_SITE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["site"]["sha256"] == read_site(folder).sha256 and "site/cues.tsv" in manifest["files"]
    (folder / "local_codes.tsv").unlink()  # the release's copy is used, whatever became of the folder
    found = run("suggest", "-", "--model", "new", "--format", "json", stdin=b"Verdict: Zorblax fever, doxycycline.")
    first = json.loads(found.stdout)["suggestions"][0]
    assert (first["code"], first["listed"], first["display"]) == ("XX-77", False, "Ward's own follow-up")
    found = run("suggest", "-", "--model", "new", "--format", "json", stdin=b"Verdict: big toe hurts, colchicine.")
    assert json.loads(found.stdout)["suggestions"][0]["code"] == "M10.9"
    (tmp_path / "new" / "site" / "cues.tsv").write_text(CUES + "not\tend\tforward\t1", encoding="utf-8")
    refused = run("suggest", "-", "--model", "new", stdin=b"Gout.")
    assert refused.returncode == 1 and b"site/cues.tsv" in refused.stderr
    (folder / "lexicon.tsv").write_text(LEXICON + "x y\ticd-10-cm\tZZ9\tname\t\t", encoding="utf-8")
    refused = run(*arguments, CODEASSIST_SITE_DIR=str(folder))
    assert refused.returncode == 2 and b"lexicon.tsv, line 2" in refused.stderr


def test_a_folder_beside_a_release_shows_in_its_version(
    assistant: codeassist.CodeAssistant, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Settings(site_dir=folder)
    monkeypatch.setattr("codeassist.assistant.settings", lambda: used)
    mine = codeassist.CodeAssistant(store, assistant.release)
    result = mine.suggest(Note(text="Assessment: zorblax fever.", date_of_service=DAY))
    assert "A77.0" in {s.code for s in result.suggestions}
    assert result.model.version == f"{assistant.model.version}+site.{read_site(folder).sha256[:8]}"
    assert "A77.0" not in {s.code for s in assistant.suggest(Note(text="zorblax fever")).suggestions}


# -- recognisers of the site -------------------------------------------------------------------------------------------


def coded_spans(doc: Doc) -> Iterable[Span]:
    """A recogniser that knows one word, and says which code it means."""
    return [Span(doc, t.i, t.i + 1, "icd-10-cm:M10.9") for t in doc if t.lower_ == "wobbletoe"]


class Point:
    """An entry point without a package."""

    def __init__(self, name: str, made: Any) -> None:
        self.name, self._made = name, made

    def load(self) -> Any:
        return lambda: self._made


def with_detector(monkeypatch: pytest.MonkeyPatch, detector: Any, name: str = "toe") -> None:
    def points(group: str) -> list[Point]:
        return [Point("toe", detector)] if group == detectors.GROUP else []

    monkeypatch.setattr(metadata, "entry_points", points)
    used = Settings(mention_detectors=(name,))
    monkeypatch.setattr("codeassist.nlp.pipeline.settings", lambda: used)


def test_a_recogniser_takes_part_in_finding_mentions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not codes_in(store, "Here for wobbletoe.")
    with_detector(monkeypatch, coded_spans)
    assert codes_in(store, "Here for wobbletoe.") == {"M10.9"}
    with_detector(monkeypatch, coded_spans, "other")
    with pytest.raises(InputError, match="no mention detector 'other'"):
        NoteReader(store)


def test_without_recognisers_nothing_is_added(store: Store) -> None:
    assert settings().mention_detectors == ()
    from codeassist.nlp.pipeline import Pipeline

    assert len(Pipeline(store)._components) == 4


@pytest.mark.slow
def test_the_trained_example_of_the_docs(
    store: Store, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spaCy NER trained on evidence of our own notes finds conditions, and its spans become candidates."""
    import spacy

    spec = importlib.util.spec_from_file_location("example", root / "docs" / "examples" / "train_mention_ner.py")
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    notes = root / "training" / "notes"
    example.train(notes / "audited", tmp_path / "ner", most=60, epochs=10)
    ner = spacy.load(tmp_path / "ner")

    def detector(doc: Doc) -> Iterable[Span]:
        other = ner(str(doc.text))
        found = (doc.char_span(e.start_char, e.end_char, e.label_) for e in other.ents)
        return [f for f in found if f is not None]

    unseen = [n.note.text for n in read_audited(notes / "evaluation")][:20]
    reader = NoteReader(store)
    found = [span for text in unseen for span in detector(reader.document(Document(text)).doc)]
    assert found and {span.label_ for span in found} == {"CONDITION"}
    text = max(unseen, key=lambda t: len(list(detector(reader.document(Document(t)).doc))))
    with_detector(monkeypatch, detector)
    assert codes_in(store, text) >= plain_codes(reader, store, text)
