"""Trains a small spaCy NER on the evidence of audited notes, to take part in finding mentions.

    python docs/examples/train_mention_ner.py NOTES OUT

NOTES are audited notes with evidence (JSON Lines, or a folder of note files), OUT is the folder of the spaCy pipeline.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import spacy
from spacy.pipeline.ner import DEFAULT_NER_MODEL
from spacy.training import Example
from spacy.util import filter_spans, fix_random_seed

from codeassist.nlp.tokenizer import blank_english
from training.audited import read_audited

EPOCHS = 12
TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 48,
    "depth": 2,
    "embed_size": 1000,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
"""A small network: it learns from a few hundred lines within seconds."""
LONGEST = 8
"""Tokens: longer evidence is a sentence, not the name of a condition."""


def examples(nlp: spacy.Language, notes: Path, most: int | None = None) -> list[Example]:
    """One example a sentence-like line with evidence of a diagnosis, labelled ``CONDITION``."""
    found = []
    for audited in list(read_audited(notes))[:most]:
        text = audited.note.parts[0].text
        spans = sorted({s for c in audited.codes if c.system == "icd-10-cm" for s in c.evidence})
        start = 0
        for line in text.splitlines(keepends=True):
            mine = [(s - start, e - start) for s, e in spans if start <= s and e <= start + len(line)]
            start += len(line)
            doc = nlp.make_doc(line)
            marked = [doc.char_span(s, e, "CONDITION", alignment_mode="expand") for s, e in mine]
            kept = filter_spans([m for m in marked if m is not None and len(m) <= LONGEST])
            if kept:
                entities = [(m.start_char, m.end_char, m.label_) for m in kept]
                found.append(Example.from_dict(nlp.make_doc(line), {"entities": entities}))
    return found


def train(notes: Path, out: Path, most: int | None = None, epochs: int = EPOCHS) -> float:
    """Train on nine of ten lines and save; F1 on the rest comes back. The same notes give the same pipeline."""
    fix_random_seed(1)
    nlp = blank_english()
    nlp.add_pipe("ner", config={"model": {**DEFAULT_NER_MODEL, "hidden_width": 32, "tok2vec": TOK2VEC}})
    lines = examples(nlp, notes, most)
    shuffle = random.Random(1)
    shuffle.shuffle(lines)
    kept, rest = lines[len(lines) // 10 :], lines[: len(lines) // 10]
    optimizer = nlp.initialize(lambda: kept)
    optimizer.learn_rate = 0.005
    for _ in range(epochs):
        shuffle.shuffle(kept)
        for i in range(0, len(kept), 32):
            nlp.update(kept[i : i + 32], sgd=optimizer, drop=0.2)
    nlp.to_disk(out)
    return float(nlp.evaluate(rest)["ents_f"] or 0) if rest else 0.0


if __name__ == "__main__":
    print(f"F1 on held-back lines: {train(Path(sys.argv[1]), Path(sys.argv[2])):.2f}")
