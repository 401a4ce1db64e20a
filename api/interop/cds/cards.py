"""Cards: what a clinician sees of the suggestions, in the words of CDS Hooks 2.0. What is unknown is left out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.interop.cds.services import override_reasons
from api.interop.fhir.writing import Coded, condition

LONGEST_SUMMARY = 139
MOST_SUGGESTIONS = 10
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~])")


@dataclass(frozen=True, slots=True)
class Made:
    """A card, and the code behind each of its suggestions by their uuid."""

    card: dict[str, Any]
    suggestions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def suggestion_card(coded: Coded, review: str, source: Mapping[str, str]) -> Made | None:
    """The card that offers diagnoses; ``None`` when there is none to offer."""
    diagnoses = [i for i in coded.items if i["system"] == "icd-10-cm"][:MOST_SUGGESTIONS]
    if not diagnoses:
        return None
    behind: dict[str, dict[str, str]] = {}
    suggestions = []
    for item in diagnoses:
        key = str(uuid.uuid4())
        behind[key] = {"system": item["system"], "code": item["code"]}
        suggestions.append(_suggestion(coded, item, key))
    count = len(diagnoses)
    names = ", ".join(f"{i['code']} {i['display']}" for i in diagnoses)
    card = {
        "uuid": str(uuid.uuid4()),
        "summary": shortened(f"{count} {'diagnosis' if count == 1 else 'diagnoses'} documented: {names}"),
        "detail": _detail(diagnoses),
        "indicator": "info",
        "source": dict(source),
        "suggestions": suggestions,
        "selectionBehavior": "any",
        "overrideReasons": [dict(reason) for reason in override_reasons()],
        "links": [_link(review)],
    }
    return Made(card, behind)


def warning_card(messages: Sequence[str], review: str | None, source: Mapping[str, str]) -> Made | None:
    """The card that says what is wrong with codes; ``None`` when nothing is."""
    if not messages:
        return None
    card: dict[str, Any] = {
        "uuid": str(uuid.uuid4()),
        "summary": shortened(
            messages[0] if len(messages) == 1 else f"{len(messages)} codes need a look: {messages[0]}"
        ),
        "detail": "\n".join(f"- {escaped(m)}" for m in messages),
        "indicator": "warning",
        "source": dict(source),
        "overrideReasons": [dict(reason) for reason in override_reasons()],
    }
    return Made(card if review is None else {**card, "links": [_link(review)]})


def shortened(text: str) -> str:
    """A text of fewer than 140 characters, cut at a word.

    >>> len(shortened("word " * 100)) < 140
    True
    """
    plain = " ".join(text.split())
    if len(plain) <= LONGEST_SUMMARY:
        return plain
    return plain[: LONGEST_SUMMARY - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"


def escaped(text: str) -> str:
    """Text of a note as Markdown that shows it as it is: one line, and no mark-up of its own.

    >>> escaped("<b> [x](y)")
    '\\\\<b\\\\> \\\\[x\\\\]\\\\(y\\\\)'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _suggestion(coded: Coded, item: Mapping[str, Any], key: str) -> dict[str, Any]:
    label = f"{item['code']} {item['display']}".strip()
    sources = coded.facts.get("sources", {})
    resource = condition(coded, item, sources)
    return {
        "label": shortened(f"Add {label}"),
        "uuid": key,
        "actions": [
            {"type": "create", "description": shortened(f"Add {label} as provisional diagnosis"), "resource": resource}
        ],
    }


def _detail(items: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| Code | Diagnosis | In the note | Probability |", "|---|---|---|---|"]
    for item in items:
        quotes = "; ".join(dict.fromkeys(f"“{escaped(e['text'][:120])}”" for e in item["evidence"][:3]))
        rows.append(f"| {escaped(item['code'])} | {escaped(item['display'])} | {quotes} | {item['probability']:.0%} |")
    return "\n".join(rows)


def _link(review: str) -> dict[str, str]:
    return {"label": "Review all codes", "url": review, "type": "absolute"}
