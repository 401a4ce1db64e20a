"""What a site may set of the service, beside what the library's settings hold."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from pydantic import PositiveInt
from sqlalchemy import URL

from codeassist.settings import Settings

_DATA = platformdirs.user_data_path("codeassist", appauthor=False)


class ApiSettings(Settings):
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
    shadow_model: Path | None = None
    """A candidate release that scores live notes without being shown (see ``docs/drift.md``)."""
    shadow_queue: PositiveInt = 32
    """How many notes may wait for it; older ones are dropped, and counted."""
    threads: PositiveInt = os.cpu_count() or 1
    """How many notes are read at the same time."""
