"""The words of the note around the places where it supports a code."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.rules.case import Case, Line

_REACH = 80
_ENDS = (". ", ".\n", ";", "\n", ":")


def clauses(case: Case, line: Line) -> Iterator[tuple[str, str, str]]:
    """For each place where the note asserts the code: what stands before it, the words themselves and what stands
    after it, within the clause and at most 80 characters away.

    Places that are not in ``case.encounter.text`` (another document of the encounter) are left out.
    """
    text = case.encounter.text
    if not text:
        return
    for evidence in line.coded.evidence:
        start, end = evidence.start, evidence.end
        if evidence.assertion.status != "present" or text[start:end] != evidence.text:
            continue
        before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
        for mark in _ENDS:
            before = before.rpartition(mark)[2]
            after = after.partition(mark)[0]
        yield before, evidence.text, after.removesuffix(".")
