"""Answers in JSON: compact, and with the characters of the note as they are."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


def json_bytes(record: Any) -> bytes:
    """A record as JSON in UTF-8."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def json_response(record: Any, status: int = 200) -> Response:
    """The answer that carries a record."""
    return Response(json_bytes(record), status, media_type="application/json")
