"""Many notes: JSON Lines in, JSON Lines out, in order, with bad lines answered and the rest going on."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from codeassist.assistant import CodeAssistant
from codeassist.errors import CodeassistError, InputError
from codeassist.note import note_from_record
from codeassist.registry import chosen_release
from codeassist.release import load_release
from codeassist.terminology.access import open_store

_CHUNK = 8
_AHEAD = 4
"""Chunks a worker that are read before they are needed: bounds memory whatever the file's size."""


def suggest_line(assistant: CodeAssistant, number: int, line: bytes) -> str:
    """The result of one JSON line as a JSON line, or an error record with the line's number.

    An error record is ``{"line", "id"?, "error": {"code", "message"}}``.
    """
    identity: dict[str, Any] = {"line": number}
    try:
        try:
            record = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise InputError("the line is not UTF-8") from None
        except ValueError:
            raise InputError("the line is not valid JSON; it may be cut short") from None
        if isinstance(record, dict) and isinstance(record.get("id"), str):
            identity["id"] = record["id"]
        result = assistant.suggest(note_from_record(record))
        return json.dumps(result.as_record(), ensure_ascii=False)
    except CodeassistError as error:
        return json.dumps({**identity, "error": {"code": error.code, "message": str(error)}}, ensure_ascii=False)


def suggest_lines(lines: Iterable[bytes], model: Path | None = None, workers: int = 1) -> Iterator[str]:
    """Results of JSON lines in their order; empty lines are skipped. One process each worker."""
    chosen = (model, None) if model else chosen_release()  # once, so that all workers have the same
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
    if workers <= 1:
        assistant = _assistant(*chosen)
        for n, line in numbered:
            yield suggest_line(assistant, n, line)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = []
        for chunk in iter(lambda: list(islice(numbered, _CHUNK)), []):
            waiting.append(pool.submit(_work, chosen, chunk))
            if len(waiting) >= workers * _AHEAD:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


@cache
def _assistant(folder: Path, sha256: str | None) -> CodeAssistant:
    return CodeAssistant(open_store(), load_release(folder, sha256))


def _work(chosen: tuple[Path, str | None], chunk: list[tuple[int, bytes]]) -> list[str]:
    assistant = _assistant(*chosen)
    return [suggest_line(assistant, n, line) for n, line in chunk]
