"""The tables of physician queries: topics (``data/queries.tsv``) and what a note must hold for them
(``data/query_indicators.tsv``)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from codeassist.errors import CodeassistError
from codeassist.rules.sequence_table import expand
from codeassist.rules.tables import read_table

EVIDENCE = "evidence"
"""The indicator that stands for the places where the note supports a code."""
OTHER, UNDETERMINED = "Other (please specify)", "Unable to determine"
_TESTS: dict[str, Callable[[float, float], bool]] = {"<": operator.lt, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Pattern:
    """An indicator: a pattern, and for a measured value the test that its number must meet."""

    pattern: re.Pattern[str]
    test: Callable[[float, float], bool] | None
    bound: float

    def meets(self, match: re.Match[str]) -> bool:
        """Whether the number found meets the test; true where there is none."""
        return self.test is None or self.test(float(match[1].replace(",", "")), self.bound)


@dataclass(frozen=True, slots=True)
class Topic:
    """One line of ``queries.tsv``.

    ``needs`` and ``unless`` are prefixes of codes (``None``: no code is needed), ``poa`` is the indicator that the
    needed code must have; ``indicators`` are names, ``one_of`` those of which one is required.
    """

    name: str
    inpatient: bool
    needs: frozenset[str] | None
    poa: str | None
    unless: frozenset[str]
    least: int
    indicators: tuple[str, ...]
    one_of: frozenset[str]
    settled: tuple[str, ...]
    reason: str
    question: str
    options: tuple[str, ...]


@cache
def patterns() -> dict[str, Pattern]:
    """The indicators by name, compiled once. Raises :class:`CodeassistError` for a test that cannot be read."""
    out = {}
    for name, pattern, test in read_table("query_indicators", 3):
        sign, _, bound = test.partition(" ")
        if test != "-" and sign not in _TESTS:
            raise CodeassistError(f"query_indicators.tsv: {name}: {test!r} is no test")
        out[name] = Pattern(re.compile(pattern, re.IGNORECASE), _TESTS.get(sign), float(bound or 0))
    return out


@cache
def topics() -> tuple[Topic, ...]:
    """The topics in the table's order. Raises :class:`CodeassistError` for an indicator that does not exist."""
    out = []
    for row in read_table("queries", 10):
        name, setting, needs, unless, least, indicators, settled, reason, question, options = row
        names = tuple(n.lstrip("+") for n in indicators.split())
        answers = tuple(settled.split()) if settled != "-" else ()
        unknown = {*names, *answers} - set(patterns()) - {EVIDENCE}
        if unknown:
            raise CodeassistError(f"queries.tsv: {name}: no indicator {', '.join(sorted(unknown))}")
        poa = needs.partition("=")[2] or None
        out.append(
            Topic(
                name=name,
                inpatient=setting == "inpatient",
                needs=None if needs == "-" or poa else frozenset(expand(needs)),
                poa=poa,
                unless=frozenset(expand(unless)) if unless != "-" else frozenset(),
                least=int(least),
                indicators=names,
                one_of=frozenset(n[1:] for n in indicators.split() if n.startswith("+")),
                settled=answers,
                reason=reason,
                question=question,
                options=(*(o.strip() for o in options.split("|")), OTHER, UNDETERMINED),
            )
        )
    return tuple(out)
