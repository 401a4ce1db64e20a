"""Users, their sessions, keys of programs, and what sign-in keeps while it goes on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base


class UserRow(Base):
    """Somebody who may sign in. A row is never removed: the name stands in the audit trail.

    ``password`` is an Argon2id hash, and empty for those whom the OIDC provider (``issuer``, ``subject``) answers for.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password: Mapped[str | None] = mapped_column(String(200))
    issuer: Mapped[str | None] = mapped_column(String(500))
    subject: Mapped[str | None] = mapped_column(String(255))
    roles: Mapped[list[str]]
    disabled: Mapped[bool]
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    created: Mapped[datetime]
    last_signed_in: Mapped[datetime | None]


class SessionRow(Base):
    """A browser that has signed in. The token is in its cookie alone; here is the SHA-256 of it."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    method: Mapped[str] = mapped_column(String(10))
    created: Mapped[datetime]
    last_used: Mapped[datetime]

    user: Mapped[UserRow] = relationship(lazy="joined", innerjoin=True)


class ApiKeyRow(Base):
    """A program's key. ``owner`` is the user whose rights bound it; without one it is bounded by the role service."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    scopes: Mapped[list[str]]
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]

    owner: Mapped[UserRow | None] = relationship(lazy="joined")


class AttemptRow(Base):
    """A sign-in that failed or is going on, kept for as long as it counts.

    ``name_part`` is a part of a hash: enough to count by name, too little to tell what was typed, which may be a
    password in the wrong field.
    """

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index(None, "address", "time"), Index(None, "name_part", "time"))

    id: Mapped[int] = mapped_column(primary_key=True)
    time: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64))
    name_part: Mapped[str] = mapped_column(String(8))


class OidcFlowRow(Base):
    """A sign-in that is at the provider: what its answer is checked against, once."""

    __tablename__ = "oidc_flows"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    next_path: Mapped[str] = mapped_column(String(500))
    created: Mapped[datetime]
