"""The tokenizer: spaCy's English one, with hyphens between letters and digits split as well."""

from __future__ import annotations

from functools import cache
from typing import Any

import spacy
from spacy.language import Language
from spacy.util import compile_infix_regex

_INFIXES = (
    r"(?<=[A-Za-z0-9])[-–—/+&](?=[A-Za-z0-9])",
    r"(?<=[a-z])[.,;:](?=[A-Z(])",
    r"(?<=[0-9A-Za-z)])[,;:](?=[A-Za-z])",
    r"(?<=[A-Za-z0-9)])\.(?=,)",
    r"(?<=\.),(?=\w)",
    r"(?<=[A-Z]{2})\.(?=[A-Z0-9])",
    r"(?<=[a-z]{3})\.(?=\d)",
    r"(?<=\d)[.)](?=[A-Za-z]{3})",
)


def blank_english() -> Language:
    """``spacy.blank("en")`` with the infixes that clinical text needs ("COVID-19", "L4-L5", "CHF.,2.", "2)HTN")."""
    nlp = spacy.blank("en")
    infixes = [*(nlp.Defaults.infixes or []), *_INFIXES]
    tokenizer: Any = nlp.tokenizer
    tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    nlp.max_length = 20_000_000
    return nlp


@cache
def shared_english() -> Language:
    """One tokenizer for the whole process."""
    return blank_english()
