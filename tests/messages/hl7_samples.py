"""Messages for the tests: made-up people, in the shape that EHRs send."""

from __future__ import annotations

from typing import Any

MLLP_PATIENT = "PID|1||12345^^^CLINIC^MR||EXAMPLE^PATIENT||19650410|F"


def mdm(
    control_id: str = "C1",
    event: str = "T02",
    document: str = "DOC-1",
    lines: tuple[str, ...] = ("Assessment: Type 2 diabetes mellitus.",),
    **parts: Any,
) -> str:
    """A document message; ``parts`` replaces fields or whole segments, ``None`` leaves a segment out."""
    txa = [""] * 23
    txa[:6] = ["TXA", "1", parts.get("kind", "PR^Progress note^HL70270"), "TX", "20260302093000", ""]
    txa[6] = parts.get("originated", "20260302101000")
    txa[12], txa[13] = document, parts.get("parent", "")
    txa[17] = parts.get("completion", "AU")
    pv1 = [""] * 46
    pv1[:3] = ["PV1", "1", parts.get("patient_class", "O")]
    pv1[19], pv1[44], pv1[45] = "V-1001", parts.get("admitted", "20260302090000"), parts.get("discharged", "")
    value_type = parts.get("value_type", "TX")
    segments = [
        parts.get(
            "msh",
            rf"MSH|^~\&|EHR|CLINIC|CODEASSIST|CLINIC|20260302101500||MDM^{event}^MDM_T02|{control_id}|"
            rf"{parts.get('processing', 'P')}|{parts.get('version', '2.5.1')}|||{parts.get('asks', '|')}||"
            f"{parts.get('charset', 'UNICODE UTF-8')}",
        ),
        f"EVN|{event}|20260302101500",
        parts.get("pid", MLLP_PATIENT),
        "|".join(pv1),
        parts.get("txa", "|".join(txa)),
        *(f"OBX|{i}|{value_type}|11506-3^Progress note^LN||{line}||||||F" for i, line in enumerate(lines, 1)),
    ]
    return "\r".join(s for s in segments if s) + "\r"


def msa(answer: bytes | str) -> list[str]:
    """The fields of MSA in an acknowledgement."""
    text = answer.decode() if isinstance(answer, bytes) else answer
    (found,) = [s for s in text.strip("\x0b\x1c\r").split("\r") if s.startswith("MSA")]
    return found.split("|")


def err(answer: bytes | str) -> list[str]:
    """The fields of ERR in an acknowledgement."""
    text = answer.decode() if isinstance(answer, bytes) else answer
    (found,) = [s for s in text.strip("\x0b\x1c\r").split("\r") if s.startswith("ERR")]
    return found.split("|")
