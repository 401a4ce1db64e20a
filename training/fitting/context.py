"""What every worker holds for a work folder, opened once a process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from codeassist.nlp.reading import NoteReader
from codeassist.release import LearnedPhrases
from codeassist.settings import settings
from codeassist.site import read_site
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.store import Store
from training.fitting.survey import Code, Survey, surveyed
from training.fitting.words import WordReader
from training.fitting.work import WorkFolder, load, write_piece
from training.site import store_of_site


@dataclass(frozen=True, slots=True)
class Options:
    """How a release is fitted: whether every code of the notes is a label, the seed, the folder of the release that it
    begins from, and how much of a search for parameters there is: trials, or else minutes."""

    audited_labels: bool
    seed: int
    prior: str | None = None
    search_trials: int = 0
    search_minutes: float = 0.0


@dataclass(slots=True)
class Context:
    """The terminology with the phrases learnt, readers of notes and of their words alone, and the labels with their
    numbers."""

    options: Options
    store: Store
    reader: NoteReader
    words: WordReader
    survey: Survey
    number: dict[Code, int]


def save_options(work: WorkFolder, options: Options, phrases: LearnedPhrases) -> None:
    """Put what workers need beside the notes."""
    if not work.has("options"):
        facts = json.dumps(asdict(options))
        arrays = {"key": phrases.key, "code": phrases.code, "words": phrases.words}
        write_piece(work.folder, "options", {"options.json": facts.encode(), **arrays})
        work.finish("options")


@lru_cache(maxsize=1)
def context(folder: Path) -> Context:
    """The context of a work folder, after its survey."""
    facts = json.loads((folder / "options" / "options.json").read_bytes())
    key, code, words = (load(folder, "options", name) for name in ("key", "code", "words"))
    site = settings().site_dir
    terminology = store_of_site(None if site is None else read_site(site))
    store = terminology.with_phrases(key, code, words, PhraseKind.INDEX)
    survey = surveyed(folder)
    number = {c: i for i, c in enumerate(survey.labels)}
    return Context(Options(**facts), store, NoteReader(store), WordReader(store), survey, number)
