"""What a site may set of the service, beside what the library's settings hold."""

from __future__ import annotations

import os

from pydantic import PositiveInt

from codeassist.settings import Settings


class ApiSettings(Settings):
    """Limits of the service; each can be set as ``CODEASSIST_<NAME>`` or in the TOML file."""

    max_body_bytes: PositiveInt = 8_000_000
    """Largest request body, in bytes, of one note or encounter."""
    max_line_bytes: PositiveInt = 8_000_000
    """Longest line of a batch, in bytes. The number of lines is not limited."""
    batch_buffer_bytes: PositiveInt = 64_000_000
    """How much of a batch is read ahead, in bytes, while its answers wait to be fetched."""
    threads: PositiveInt = os.cpu_count() or 1
    """How many notes are read at the same time."""
