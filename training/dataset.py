"""From an audited note to what lessons and rankers learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codeassist.candidates.associations import association_keys
from codeassist.candidates.likeness import note_counts, sentence_counts, sentence_spans
from codeassist.nlp.annotations import Annotations, Content
from codeassist.nlp.reading import ReadDocument, ReadNote
from training.audited import AuditedCode, AuditedNote


@dataclass(slots=True)
class Example:
    """What an audited note teaches: its gold label numbers; its keys (sorted), those that may count although seen
    once (single words and adjacent pairs), and for each of its codes the label with the keys of the evidence; the
    buckets of its words; and of each sentence the buckets, and the labels that it is evidence for."""

    labels: np.ndarray
    keys: np.ndarray
    short: np.ndarray
    pairs: list[tuple[int, np.ndarray]]
    counts: np.ndarray
    sentences: list[np.ndarray]
    sentence_labels: list[np.ndarray]


def example_of(audited: AuditedNote, read: ReadNote, number: dict[tuple[str, str], int]) -> Example:
    """What a note teaches; ``number`` numbers the labels, and codes that are none teach nothing."""
    part = read.parts[0]
    example = keys_of(audited, part.notes, part.content, number)
    example.counts = note_counts([p.content for p in read.parts])
    example.sentences = sentence_counts(part)
    example.sentence_labels = _evidence_labels(audited, part, number) if example.sentences else []
    return example


def keys_of(audited: AuditedNote, notes: Annotations, content: Content, number: dict[tuple[str, str], int]) -> Example:
    """The same without the words that likeness is learnt from, by the sentences and content words of the note's first
    document."""
    keys = association_keys(content)
    sentence = content.segment[keys.first] if len(keys.first) else np.zeros(0, dtype=np.int64)
    pairs = []
    for code in audited.codes:
        label = number.get((code.system, code.key))
        if label is not None:
            mine = _near_evidence(code, notes, sentence) if code.evidence and len(notes.start) else slice(None)
            pairs.append((label, np.unique(keys.key[mine])))
    short = (keys.words == 1) | ((keys.words == 2) & (keys.last - keys.first == 1))
    return Example(
        np.array(sorted({label for label, _ in pairs}), dtype=np.int64),
        np.unique(keys.key),
        np.unique(keys.key[short]),
        pairs,
        np.zeros(0, dtype=np.int64),
        [],
        [],
    )


def _evidence_labels(audited: AuditedNote, part: ReadDocument, number: dict[tuple[str, str], int]) -> list[np.ndarray]:
    """For each sentence the labels that it is evidence for, sorted."""
    spans = sentence_spans(part)
    found: list[set[int]] = [set() for _ in spans]
    for code in audited.codes:
        label = number.get((code.system, code.key))
        if label is not None:
            for start, end in code.evidence:
                for mine, (first, last) in zip(found, spans, strict=True):
                    if first < end and last > start:
                        mine.add(label)
    return [np.array(sorted(mine), dtype=np.int64) for mine in found]


def _near_evidence(code: AuditedCode, notes: Annotations, sentence: np.ndarray) -> np.ndarray:
    """Which keys stand in the sentences of a code's evidence."""
    chosen = np.zeros(len(sentence), dtype=bool)
    for start, end in code.evidence:
        tokens = np.flatnonzero((notes.end > start) & (notes.start < end))
        if len(tokens):
            low, high = notes.sentence[tokens[0]], notes.sentence[tokens[-1]]
            chosen |= (sentence >= low) & (sentence <= high)
    return chosen
