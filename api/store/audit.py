"""The audit trail: numbered records, each holding the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.store.base import Base, now, stamp

Action = Literal[
    "create", "view", "open", "take-over", "decision", "undo", "redo", "hold", "release", "override", "submit",
    "export", "assign", "mark", "answer", "close", "abandon", "report", "feedback", "webhook",
    "login", "login-failed", "lock", "unlock", "logout", "user-created", "user-changed", "password-changed",
    "key-created", "key-revoked",
]  # fmt: skip
NOTHING_BEFORE = "0" * 64
"""What the first record holds in place of a hash."""


class AuditRow(Base):
    """One record. ``hash`` is that of everything else in it, in the form of :func:`digest`."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    user_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(100))
    model: Mapped[dict[str, Any]]
    terminology: Mapped[dict[str, Any]]
    details: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The number and hash of the last record: one row, which every writer locks before it adds a record."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Releases:
    """The model and the terminology that an action was done with, as a result names them."""

    model: Mapping[str, Any]
    terminology: Mapping[str, Any]


NO_RELEASES = Releases({}, {})
"""For actions that neither a model nor a terminology has a part in."""


def digest(record: AuditRow, number: int | None = None) -> str:
    """SHA-256 of a record's canonical form: JSON in ASCII with sorted keys and no blanks.

    ``number`` is taken in place of the record's own.
    """
    form = {
        "number": record.number if number is None else number,
        "time": stamp(record.time),
        "user": record.user_name,
        "action": record.action,
        "subject": record.subject,
        "model": record.model,
        "terminology": record.terminology,
        "details": record.details,
        "previous": record.previous,
    }
    text = json.dumps(form, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def append(
    session: Session, user: str, action: Action, subject: str, releases: Releases, details: Mapping[str, Any]
) -> AuditRow:
    """Add a record in the transaction of ``session``, so that it is kept exactly when the action is.

    ``details`` must not hold text of a note, nor a reason, which may quote one. The head stays locked until the
    transaction ends: writers follow one another.
    """
    head = session.scalars(select(AuditHead).with_for_update()).one()
    record = AuditRow(
        number=head.number + 1,
        time=now(),
        user_name=user,
        action=action,
        subject=subject,
        model=dict(releases.model),
        terminology=dict(releases.terminology),
        details=dict(details),
        previous=head.hash,
    )
    record.hash = digest(record)
    head.number, head.hash = record.number, record.hash
    session.add(record)
    session.flush()
    return record
