"""How an ICD-10-PCS code was put together from a note: a reason for each of its seven characters."""

from __future__ import annotations

import numpy as np

from codeassist.candidates.patterns import CharacterChoice, resolve_pattern
from codeassist.nlp.reading import ReadNote
from codeassist.ranking.features import Candidates
from codeassist.result import Reason
from codeassist.rules.procedure_form import NAMES
from codeassist.terminology.store import Store


def composition(read: ReadNote, found: Candidates, candidate: int, store: Store) -> tuple[Reason, ...]:
    """The characters of an ICD-10-PCS candidate, each with the words that chose it (ICD-10-PCS guidelines A1 to A11).

    Nothing for a code of another system, or one that no procedure's name of the note stands for. Reasons have no weight
    of their own: the ranker weighs the code as a whole.
    """
    code = store.code(int(found.ids[candidate])) if found.ids[candidate] < len(store) else ""
    for hit in np.flatnonzero(found.hit_candidate == candidate).tolist():
        part = read.parts[int(found.hits.part[hit])]
        mentions = part.notes.mentions
        assert mentions is not None
        m = int(found.hits.mention[hit])
        row = int(store.phrases.row[mentions.phrase[m]])
        if row >= 0:
            continue
        start, end = int(mentions.start[m]), int(mentions.end[m])
        choice = resolve_pattern(store.patterns[-1 - row], part.context.words(start, end))
        if choice is not None and choice.code == code and len(code) == 7:
            name = part.doc[start:end].text
            return tuple(_reason(c, code, name) for c in choice.characters)
    return ()


def _reason(character: CharacterChoice, code: str, name: str) -> Reason:
    what = NAMES[code[0]][character.place - 1]
    if character.words:
        why = f"the note says \u201c{character.words}\u201d"
    elif character.fixed:
        why = f"from \u201c{name}\u201d"
    else:
        why = "the note says nothing else"
    return Reason(f"pcs_{character.place}", f"{what} {character.value}: {why}", 0.0)
