"""What a site may set of the service, beside what the library's settings hold."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr, field_validator
from sqlalchemy import URL

from api.auth.settings import AuthSettings
from codeassist.note import Setting

_DATA = platformdirs.user_data_path("codeassist", appauthor=False)


class ApiSettings(AuthSettings):
    """Limits of the service; each can be set as ``CODEASSIST_<NAME>`` or in the TOML file."""

    max_body_bytes: PositiveInt = 8_000_000
    """Largest request body, in bytes, of one note or encounter."""
    max_line_bytes: PositiveInt = 8_000_000
    """Longest line of a batch, in bytes. The number of lines is not limited."""
    batch_buffer_bytes: PositiveInt = 64_000_000
    """How much of a batch is read ahead, in bytes, while its answers wait to be fetched."""
    database_url: str = URL.create("sqlite", database=str(_DATA / "codeassist.sqlite3")).render_as_string()
    """Where notes, reviews and the audit trail are kept: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``."""
    lock_minutes: PositiveInt = 15
    """How long a note stays locked to the coder who has it open, after the last change."""
    institutional_settings: frozenset[Setting] = frozenset({"inpatient"})
    """Settings of care whose claims are institutional (837I) unless a request names the form; others are 837P."""
    workers: PositiveInt = Field(1, le=256)
    """How many processes serve; each has its own threads and queue. ``codeassist serve --workers`` goes before it."""
    pin_workers: bool | None = None
    """Whether each of several workers keeps to a processor (Linux). When left out: where there are as many workers as
    processors."""
    threads: PositiveInt = 1
    """How many notes a worker reads at the same time. Python runs one of its threads at a time: more of them make no
    more notes a second, but let short notes pass a very long one."""
    queue: NonNegativeInt = 64
    """How many requests may wait for a thread of a worker; more are answered with 429 and ``Retry-After``."""
    streams: PositiveInt = 16
    """How many batches may be under way in a worker; more are answered with 429 and ``Retry-After``."""
    stop_seconds: PositiveInt = 20
    """How long requests that are under way may take to end when the service is told to stop."""
    metrics_token: SecretStr = SecretStr("")
    """With this bearer token ``/metrics`` is read from other machines; without it the scope ``admin`` is needed."""
    otlp_endpoint: str = ""
    """The collector of OpenTelemetry traces, ``http://HOST:4318``; OpenTelemetry's own variables hold as well."""
    keymap: Path | None = None
    """A TOML file with the site's own keys of the page (see ``docs/workspace.md``)."""
    shadow_model: Path | None = None
    """A candidate release that scores live notes without being shown (see ``docs/drift.md``)."""
    shadow_queue: PositiveInt = 32
    """How many notes may wait for it; older ones are dropped, and counted."""
    cors_origins: frozenset[str] = frozenset()
    """Origins of web pages, such as ``https://ehr.hospital.example``, that may call the API from a browser."""
    idempotency_hours: PositiveInt = 24
    """How long the answer to a request with an idempotency key is kept."""
    mllp_connections: PositiveInt = 64
    """How many senders may be connected to the MLLP port at the same time."""
    mllp_idle_seconds: PositiveFloat = 300.0
    """How long a sender may be silent before its connection is closed."""
    hl7_processing_ids: frozenset[str] = frozenset({"P"})
    """Processing ids of MSH-11 that are taken: ``P`` production, ``T`` training, ``D`` debugging."""
    billing_address: str | None = None
    """``HOST:PORT`` to which submitted codes go as HL7 DFT^P03 over MLLP."""
    webhook_hosts: frozenset[str] = frozenset()
    """Hosts, with a port or without, to which webhooks may go."""
    webhook_attempts: PositiveInt = 12
    """How often a webhook, or a message of charges, is tried before it is given up."""
    webhook_retry_seconds: PositiveFloat = 5.0
    """The pause after the first failure; it doubles each time, to six hours at most."""
    comprehend_keys: dict[str, SecretStr] = Field(default_factory=dict)
    """Secrets by access key id of those who may call ``/compat/comprehendmedical``; then signatures are verified."""

    @field_validator("billing_address")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        host, _, port = (value or "x:1").rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be HOST:PORT, such as 127.0.0.1:2575")
        return value
