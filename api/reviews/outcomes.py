"""What became of each suggestion, and what the coder added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.reviews.coding import Coding, Key
from api.store.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """One code's outcome; ``number`` counts from 1 within a review."""

    number: int
    system: str
    code: str
    outcome: Outcome
    suggested: bool
    probability: float | None


def outcomes_of(result: Mapping[str, Any], coding: Coding) -> list[Found]:
    """The outcome of each code that was proposed or decided on.

    A code proposed is ``accepted``, ``replaced`` by another one, ``rejected``, or ``ignored``. A candidate stands here
    when the coder took it (``accepted``) or turned it down. A chosen code that was neither is ``added``.
    """
    offers: dict[Key, Mapping[str, Any]] = {(s["system"], s["code"]): s for s in result["suggestions"]}
    instead = {line.instead_of for line in coding.lines}
    found: list[Found] = []

    def keep(key: Key, outcome: Outcome) -> None:
        offer = offers.get(key)
        suggested = offer is not None and offer["tier"] == "code"
        found.append(Found(len(found) + 1, *key, outcome, suggested, None if offer is None else offer["probability"]))

    for key, offer in offers.items():
        if coding.has(key):
            keep(key, "accepted")
        elif key in coding.rejected:
            keep(key, "replaced" if key[1] in instead else "rejected")
        elif offer["tier"] == "code":
            keep(key, "ignored")
    for line in coding.lines:
        if line.key not in offers:
            keep(line.key, "added")
    return found
