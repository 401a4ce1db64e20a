"""Numbers that name a person, known by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Identifier, Kind

_VALUE = r"(?P<value>(?=[A-Z-]{0,5}\d)[A-Z\d][A-Z\d-]{2,19})\b"
_OF = r"\.?[ ]*(?:(?:number|num|no|id)\b\.?|#)?[ ]*(?:[:#=]|is)?[ ]*#?[ ]*"
_LABELLED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (
        re.compile(
            r"\b(?:mrn|m\.r\.n\.?|medical record|med rec|chart|patient id|pt id|account|acct|visit|encounter|csn|fin|"
            r"accession|specimen|case|member|policy|subscriber|group|insurance|medicaid|medicare|claim|beneficiary|"
            r"authorization|serial|lot|device|vin|plate|license|licence|dl|dea|npi|passport|badge|room)"
            rf"{_OF}{_VALUE}",
            re.I,
        ),
        "number",
    ),
    (
        re.compile(
            rf"\b(?:ssn|social security){_OF}(?P<value>\d{{3}}[- ]?\d{{2}}[- ]?\d{{4}}|(?:x{{3}}-x{{2}}-)\d{{4}})\b",
            re.I,
        ),
        "ssn",
    ),
    (
        re.compile(
            r"\b(?:tel|telephone|phone|cell|mobile|fax|pager|beeper|ext|call|home|work)\.?[ ]*(?:no\.?|number|#)?[ ]*"
            r"(?:[:#]|is|at)?[ ]*(?P<value>(?:\+?1[ .-]?)?(?:\(?\d{3}\)?[ .-]?)?\d{3}[ .-]\d{4}"
            r"(?:[ ]?(?:x|ext\.?)[ ]?\d+)?)(?!\d)",
            re.I,
        ),
        "phone",
    ),
    (
        re.compile(
            r"(?<![\d.-])(?P<value>(?:\+?1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])\d{3}[ .-]\d{4}"
            r"(?:[ ]?(?:x|ext\.?)[ ]?\d+)?)(?!\d|[.-]\d)"
        ),
        "phone",
    ),
)
_NOT = re.compile(r"\d{1,3}|\d+(?:mg|ml|mcg|cm|mm|fr|f|g|kg|l|am|pm|hours?|hrs?|days?|weeks?|months?|years?)", re.I)


def find_numbers(text: str) -> Iterator[Identifier]:
    """Record, account, member, licence and device numbers, social security and telephone numbers."""
    for pattern, kind in _LABELLED:
        for m in pattern.finditer(text):
            if kind != "number" or not _NOT.fullmatch(m["value"]):
                yield Identifier(*m.span("value"), kind, 3)
