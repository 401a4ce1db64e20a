"""Where sentences end in clinical text. Cases are written with a bar where a new sentence begins."""

from __future__ import annotations

from itertools import pairwise

import pytest

from codeassist.nlp.sentences.sentences import sentence_starts

CASES = [
    "He has gout. |Labs are pending.",
    "BP 4.5 mg b.i.d. given. |Pt. has DM.",
    "Dr. Adams saw the pt. today. |No change.",
    "Potassium 4.5 mg daily. |Recheck in 2 wks.",
    "Assessment:\n|1. HTN, stable.\n|2. Gout.",
    "1. HTN |2. Gout |3. Asthma",
    "- HTN\n|- Gout",
    "Fever? |Denied. |Cough for 3 days.",
    "No fever\n|No cough",
    "The patient has had a cough for about three weeks now and\nreports that it is worse at night. |Lungs are clear.",
    "Wound is dry.\r\n|Sutures are out.",
    "First paragraph ends here\n\n|Second one begins.",
    "Weight 82.4 kilos today. |Pulse 90.",
    "",
    "gout",
]


@pytest.mark.parametrize("case", CASES)
def test_sentences(case: str) -> None:
    text = case.replace("|", "")
    starts, _ = sentence_starts(text)
    cuts = [*starts, len(text)] if text else [0, 0]
    assert [text[a:b] for a, b in pairwise(cuts)] == case.split("|")
