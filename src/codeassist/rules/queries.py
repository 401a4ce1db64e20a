"""Drafts of queries to the physician, where the note is short of what a code needs.

They follow the practice brief of ACDIS and AHIMA (Guidelines for Achieving a Compliant Query Practice, 2022): clinical
indicators quoted from the note, open options with "other" and "unable to determine", no word on what an answer is
worth. A coder reviews each before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codeassist.note import Document
from codeassist.rules.case import Case, Line
from codeassist.rules.query_table import EVIDENCE, Topic, patterns, topics
from codeassist.rules.sequence_table import kind_of

Asserted = Callable[[int, int], bool]
"""Whether the note asserts its span from start to end: not negated, not of somebody else, not past."""
BETWEEN = "\n\n"
"""What divides the documents of an encounter in its text."""
_MOST_OF_ONE, _MOST = 2, 8
_SENTENCE_END = re.compile(r"[.;!?](?=\s|$)|\n|\b(?:but|however|although|except)\b", re.IGNORECASE)
_CUE = re.compile(
    r"\b(?:no|not|non|denies|denied|without|negative for|absent|absence of|ruled? out|never|free of|resolved|unlikely|"
    r"history of|h/o|if|mother|father|brother|sister)\b",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    r"\W{0,3}(?:(?:is|was|were|are|has|have)(?: been)? )?(?:now )?"
    r"(?:ruled out|negative|absent|denied|resolved|unlikely)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A quoted piece of the note: ``text == document[start:end]``; ``document`` names it where there are several."""

    start: int
    end: int
    text: str
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A draft: its topic (a neutral name), why it is asked, what the note says, the question and the answers to choose
    from; ``codes`` are those on the claim that the answer bears on."""

    topic: str
    reason: str
    indicators: tuple[Indicator, ...]
    question: str
    options: tuple[str, ...]
    codes: tuple[str, ...] = ()


def query_record(query: Query) -> dict[str, Any]:
    """A query as a JSON object; a quotation names its document only where there are several."""
    quoted = []
    for i in query.indicators:
        item: dict[str, Any] = {"start": i.start, "end": i.end, "text": i.text}
        if i.document is not None:
            item["document"] = i.document
        quoted.append(item)
    return {
        "topic": query.topic,
        "reason": query.reason,
        "indicators": quoted,
        "question": query.question,
        "options": list(query.options),
        "codes": list(query.codes),
    }


def draft_queries(case: Case, asserted: Asserted | None = None) -> tuple[Query, ...]:
    """The queries that a case's note and codes call for, in the table's order.

    Reads the note's text, so it is for a coder's asking and no part of the rules' check. ``asserted`` judges the
    indicators that are words; without it, negations and history before them in the sentence are looked for.
    """
    text = case.encounter.text
    if not text.strip():
        return ()
    found = _Indicators(text, asserted or (lambda start, end: _asserted(text, start, end)))
    drafts = (_draft(topic, case, found) for topic in topics())
    return tuple(query for query in drafts if query is not None)


def in_documents(queries: Iterable[Query], documents: Sequence[Document]) -> tuple[Query, ...]:
    """Queries on the text of several documents joined by :data:`BETWEEN`, with quotations placed in each document."""
    starts, at = [], 0
    for document in documents:
        starts.append(at)
        at += len(document.text) + len(BETWEEN)

    def placed(indicator: Indicator) -> Indicator:
        if indicator.document is not None:
            return indicator
        n = max(i for i, start in enumerate(starts) if start <= indicator.start)
        start, end = indicator.start - starts[n], indicator.end - starts[n]
        return Indicator(start, end, indicator.text, documents[n].id)

    return tuple(replace(q, indicators=tuple(placed(i) for i in q.indicators)) for q in queries)


class _Indicators:
    """The indicators of one text by name, each looked for once."""

    def __init__(self, text: str, asserted: Asserted) -> None:
        self._text = text
        self._asserted = asserted
        self._known: dict[str, tuple[Indicator, ...]] = {}

    def __call__(self, name: str) -> tuple[Indicator, ...]:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._look(name)
        return known

    def _look(self, name: str) -> tuple[Indicator, ...]:
        pattern = patterns()[name]
        out: list[Indicator] = []
        for match in pattern.pattern.finditer(self._text):
            start, end = match.span()
            quoted = match[0].rstrip()
            end = start + len(quoted)
            if BETWEEN in quoted or not pattern.meets(match):
                continue
            if any(quoted == other.text for other in out):
                continue
            if pattern.test is None and not self._asserted(start, end):
                continue
            out.append(Indicator(start, end, quoted))
            if len(out) == _MOST_OF_ONE:
                break
        return tuple(out)


def _draft(topic: Topic, case: Case, found: _Indicators) -> Query | None:
    """The query of a topic, or ``None`` where the codes or the note do not call for it, or answer it."""
    if topic.inpatient and not case.inpatient:
        return None
    lines = [line for line in case.diagnoses if _needed(topic, line)]
    if not lines and (topic.needs is not None or topic.poa is not None):
        return None
    if topic.unless and any(_among(line, topic.unless) for line in case.diagnoses):
        return None
    if EVIDENCE in topic.indicators:
        quoted = {EVIDENCE: _evidence(lines)}
    else:
        quoted = {name: found(name) for name in topic.indicators}
    present = {name for name, spans in quoted.items() if spans}
    if len(present) < topic.least or (topic.one_of and not topic.one_of & present):
        return None
    if any(found(name) for name in topic.settled):
        return None
    spans = sorted({i for name in present for i in quoted[name]}, key=lambda i: (i.start, i.end))[:_MOST]
    codes = tuple(dict.fromkeys(line.code for line in lines))
    return Query(topic.name, topic.reason, tuple(spans), topic.question, topic.options, codes)


def _needed(topic: Topic, line: Line) -> bool:
    if topic.poa is not None:
        return line.coded.poa == topic.poa and bool(_evidence([line]))
    return topic.needs is not None and _among(line, topic.needs)


def _among(line: Line, prefixes: frozenset[str]) -> bool:
    key = line.key
    return any(key[:n] in prefixes for n in range(3, len(key) + 1)) or kind_of(key) in prefixes


def _evidence(lines: Iterable[Line]) -> tuple[Indicator, ...]:
    """Where the note asserts the codes."""
    return tuple(
        Indicator(e.start, e.end, e.text, e.document)
        for line in lines
        for e in line.coded.evidence[:_MOST_OF_ONE]
        if e.assertion.status == "present"
    )


def _asserted(text: str, start: int, end: int) -> bool:
    """Whether no negation, history or relative stands before the span in its sentence, nor a negation right after."""
    low = max((m.end() for m in _SENTENCE_END.finditer(text, max(0, start - 400), start)), default=max(0, start - 400))
    return not _CUE.search(text, low, start) and not _CUE_AFTER.match(text, end)
