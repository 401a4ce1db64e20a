"""The answer to a message: MSH, MSA, and ERR for one that is refused.

Source: HL7 v2.8.2, chapter 2, sections 2.9 and 2.14: original mode answers AA, AE or AR; in enhanced mode, where MSH-15
or MSH-16 is valued, the accept acknowledgement is CA, CE or CR.
"""

from __future__ import annotations

from uuid import uuid4

from hl7apy.core import Message as Built

from api.interop.hl7v2.errors import CODES, Refused
from api.interop.hl7v2.escapes import escape
from api.interop.hl7v2.message import Header, supported
from api.interop.hl7v2.times import write_time
from api.store.base import now

OLDEST_WITH_ERL = "2.5"
"""Before this version ERR-1 holds the location and the code together."""


def acknowledge(header: Header, refused: Refused | None = None) -> bytes | None:
    """The acknowledgement in UTF-8; ``None`` when the sender asked for none."""
    answer: str = "AA" if refused is None else refused.answer
    accept, application = header.asks
    if accept or application:
        if _wanted(accept, refused):
            answer = f"C{answer[1]}"
        elif not _wanted(application, refused):
            return None
    return _built(header, answer, refused)


def _wanted(condition: str, refused: Refused | None) -> bool:
    """HL7 table 0155: always, on success, on error, never."""
    return condition == "AL" or (condition == "SU" and refused is None) or (condition == "ER" and refused is not None)


def _built(header: Header, answer: str, refused: Refused | None) -> bytes:
    version = supported(header.version) if header.version else "2.5.1"
    message = Built("ACK", version=version)
    message.msh.msh_3, message.msh.msh_4 = (escape(v) for v in header.receiver)
    message.msh.msh_5, message.msh.msh_6 = (escape(v) for v in header.sender)
    message.msh.msh_7 = write_time(now())
    message.msh.msh_9 = f"ACK^{header.event}^ACK" if header.event.isalnum() else "ACK"
    message.msh.msh_10 = uuid4().hex[:20]
    message.msh.msh_11 = header.processing_id if header.processing_id.isalnum() else "P"
    if version >= "2.3.1":
        message.msh.msh_18 = "UNICODE UTF-8"
    segments = [message.msh.to_er7(), f"MSA|{answer}|{escape(header.control_id)}"]
    if refused is not None:
        segments[1] += f"|{escape(refused.message)[:80]}"
        segments.append(_error(refused, version))
    return ("\r".join(segments) + "\r").encode("utf-8")


def _error(refused: Refused, version: str) -> str:
    condition = f"{refused.code}^{CODES[refused.code]}^HL70357"
    where = "" if refused.location is None else str(refused.location)
    if version < OLDEST_WITH_ERL:
        at = (*where.split("^"), "", "", "")
        return f"ERR|{at[0]}^{at[1]}^{at[2]}^{condition.replace('^', '&')}"
    return f"ERR||{where}|{condition}|E||||{escape(refused.message)}"
