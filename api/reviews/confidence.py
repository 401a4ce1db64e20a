"""How far the list that the model proposes for a note can be trusted as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.store.reviews import Band

MEDIUM, HIGH = 0.6, 0.8
"""Where the bands begin."""


def confidence(suggestions: Sequence[Mapping[str, Any]]) -> float:
    """The expected F1 of the codes proposed, from their own probabilities, rounded to four places.

    With :math:`p` the probabilities, which are calibrated: :math:`2T / (n + T + C)`, where :math:`n` is the number of
    suggestions of tier ``code``, :math:`T` the sum of their probabilities (how many of them a coder is expected to
    accept), and :math:`C` that of the candidates (how many codes are expected to be missing). 0 when nothing is
    proposed: a coder has to look.

    >>> confidence([{"tier": "code", "probability": 0.9}, {"tier": "candidate", "probability": 0.1}])
    0.9
    """
    proposed = [s["probability"] for s in suggestions if s["tier"] == "code"]
    if not proposed:
        return 0.0
    taken = sum(proposed)
    missing = sum(s["probability"] for s in suggestions if s["tier"] != "code")
    return round(float(2 * taken / (len(proposed) + taken + missing)), 4)


def band_of(value: float) -> Band:
    """The band of a confidence.

    >>> band_of(0.59), band_of(0.6), band_of(0.8)
    ('low', 'medium', 'high')
    """
    return "high" if value >= HIGH else "medium" if value >= MEDIUM else "low"
