"""What a site may set of the service, beside what the library's settings hold."""

from __future__ import annotations

import platformdirs
from pydantic import Field, NonNegativeInt, PositiveInt, SecretStr
from sqlalchemy import URL

from api.auth.settings import AuthSettings

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
    workers: PositiveInt = Field(1, le=256)
    """How many processes serve; each has its own threads and queue. ``codeassist serve --workers`` goes before it."""
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
