"""Why a suggestion stands where it does: what each group of features adds to its score.

A group's weight is the drop in log-odds when its features are set to what a candidate without them has.
"""

from __future__ import annotations

import numpy as np

from codeassist.ranking.features import (
    ASSOCIATION_FEATURES,
    COLUMN,
    FEATURES,
    KIND_FEATURES,
    SECTION_FEATURES,
    STATUS_FEATURES,
)
from codeassist.ranking.groups import GROUP_NAMES
from codeassist.ranking.ranker import Ranker
from codeassist.result import Reason

_GROUPS: dict[str, tuple[str, ...]] = {
    "section": (*SECTION_FEATURES, "assessment_place", "opens_line", "opens_assessment_line"),
    "assertion": STATUS_FEATURES,
    "match": (*KIND_FEATURES, "match_words", "match_readings", "match_nested"),
    "specificity": ("attributes_matched", "attributes_open", "is_unspecified", "code_depth"),
    "treatment": ("treated_nearby",),
    "audited notes": ASSOCIATION_FEATURES,
    "siblings": ("category_rank", "category_size", "beats_sibling"),
}
_NEUTRAL = {
    "assessment_place": -1.0,
    "match_readings": -1.0,
    "match_nested": -1.0,
    "note_rank": 999.0,
    "sentence_rank": 999.0,
}
_NEUTRAL_ROW = np.array([_NEUTRAL.get(f, 0.0) for f in FEATURES], dtype=np.float32)
_IN_GROUP = np.array([[f in features for f in FEATURES] for features in _GROUPS.values()])
"""Of shape (groups, features)."""
_LEAST_WEIGHT = 0.05
_SECTION_WORDS = {
    "assessment": "the assessment",
    "admission": "the admission or preoperative diagnosis",
    "plan": "the plan",
    "story": "the history of present illness",
    "complaint": "the chief complaint",
    "course": "the hospital course",
    "past": "the past history",
    "ros": "the review of systems",
    "exam": "the examination",
    "results": "the results",
    "medications": "the medications",
    "procedure": "the procedure",
    "equipment": "the order",
    "aside": "family or social history or instructions",
    "other": "a section without a heading",
}


def explain(ranker: Ranker, matrix: np.ndarray) -> list[tuple[Reason, ...]]:
    """For each row of ``matrix``, reasons with their weights in log-odds, the strongest first."""
    differs = matrix != _NEUTRAL_ROW
    group, row = np.nonzero(np.array([(differs & mine).any(axis=1) for mine in _IN_GROUP]))
    variants = np.where(_IN_GROUP[group], _NEUTRAL_ROW, matrix[row])
    scores = ranker.forest.log_odds(np.concatenate([matrix, variants]))
    drops = scores[row] - scores[len(matrix) :]
    kept = np.flatnonzero(np.abs(drops) > _LEAST_WEIGHT - 0.001)  # what is rounded to it counts too
    reasons: list[list[Reason]] = [[] for _ in matrix]
    values = matrix.tolist()
    names = tuple(_GROUPS)
    for g, i, drop in zip(group[kept].tolist(), row[kept].tolist(), drops[kept].tolist(), strict=True):
        weight = round(drop, 3)
        if abs(weight) >= _LEAST_WEIGHT and (message := _message(names[g], values[i])):
            reasons[i].append(Reason(names[g], message, weight))
    return [tuple(sorted(mine, key=lambda r: (-abs(r.weight), r.feature))) for mine in reasons]


def _message(group: str, row: list[float]) -> str:
    def value(name: str) -> float:
        return row[COLUMN[name]]

    if group == "section":
        named = [_SECTION_WORDS[g] for g in GROUP_NAMES if value(f"mentions_{g}")]
        return f"named in {', '.join(named)}" if named else ""
    if group == "assertion":
        statuses = (n.removeprefix("mentions_") for n in STATUS_FEATURES)
        counts = [f"{s} {int(c)} times" if c > 1 else f"{s} once" for s in statuses if (c := value(f"mentions_{s}"))]
        return ", ".join(counts)
    if group == "match":
        kinds = [n.removeprefix("match_") for n in KIND_FEATURES if value(n)]
        return f"matched by {', '.join(kinds)}, up to {value('match_words'):g} words" if kinds else ""
    if group == "specificity":
        if value("attributes_matched"):
            return "details of the note chose this code"
        if value("attributes_open"):
            return "the note leaves a detail open"
        return "an unspecified code" if value("is_unspecified") else "the code's level of detail"
    if group == "treatment":
        return "treatment is named beside it" if value("treated_nearby") else "no treatment is named beside it"
    if group == "audited notes":
        if value("taught_sentence"):
            return f"its words were evidence for this code in audited notes ({value('taught_sentence'):.0%})"
        return "how often audited notes have this code"
    return (
        "the strongest of its category" if value("category_rank") == 0 else "another code of its category is stronger"
    )
