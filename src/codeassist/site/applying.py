"""A terminology index with a site's own parts: the shared index stays as it is."""

from __future__ import annotations

from copy import copy

import numpy as np
from spacy.strings import hash_string

from codeassist.site.reading import Site
from codeassist.site.targets import Target, targets
from codeassist.terminology.store import PhraseTable, Store
from codeassist.terminology.words import surface_forms, word_value


def with_site(store: Store, site: Site) -> Store:
    """``store`` with the phrases, headings and cues of ``site``. A phrase of the site takes the place of those of the
    index with the same words. Raises :class:`~codeassist.errors.InputError` for a line that stands for nothing."""
    found = targets(site, store)
    other = copy(store)
    other.site_headings = dict(site.headings)
    other.site_cues = site.cues
    if found:
        other.contexts = list(store.contexts)
        other.phrases = _phrases(store.phrases, found, other.contexts)
        other.form_key, other.form_value = _forms(store, found)
    return other


def _phrases(table: PhraseTable, found: list[Target], contexts: list[tuple[str, ...]]) -> PhraseTable:
    for t in found:
        if t.context not in contexts:
            contexts.append(t.context)
    found = sorted(found, key=lambda t: (t.key, t.row))
    key = np.array([t.key for t in found], dtype=np.uint64)
    keep = ~np.isin(table.key, key)
    old = {name: getattr(table, name)[keep] for name in PhraseTable.__slots__}
    new = {
        "key": key,
        "row": np.array([t.row for t in found]),
        "kind": np.array([int(t.kind) for t in found]),
        "words": np.array([len(t.stems) for t in found]),
        "context": np.array([contexts.index(t.context) for t in found]),
        "capitals": np.array([t.capitals for t in found]),
    }
    place = np.searchsorted(old["key"], key, side="right")
    return PhraseTable(**{n: np.insert(old[n], place, new[n].astype(old[n].dtype)) for n in PhraseTable.__slots__})


def _forms(store: Store, found: list[Target]) -> tuple[np.ndarray, np.ndarray]:
    """The words of the index with those of the site that it lacks."""
    values = {hash_string(f): word_value(s) for t in found for s in t.stems for f in surface_forms(s)}
    key = np.array(sorted(values), dtype=np.uint64)
    key = key[~np.isin(key, store.form_key)]
    value = np.array([values[int(k)] for k in key], dtype=np.uint64)
    place = np.searchsorted(store.form_key, key)
    return np.insert(store.form_key, place, key), np.insert(store.form_value, place, value)
