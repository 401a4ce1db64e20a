"""The files of the pages, under a name that changes with them: a browser asks for each of them once."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).with_name("web") / "static"
_IMPORT = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)"', re.MULTILINE)
_FOREVER = "public, max-age=31536000, immutable"


@cache
def version() -> str:
    """A name of the files as they are: the beginning of the SHA-256 of their paths and contents."""
    digest = hashlib.sha256()
    for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(FOLDER)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def modules(path: str) -> Sequence[str]:
    """The modules that the one at ``path`` imports, and those that they import, each once: a page that names them has
    them fetched together, not one after the other."""
    found: dict[str, None] = {}
    todo = [path]
    while todo:
        module = todo.pop(0)
        for name in _IMPORT.findall((FOLDER / module).read_text("utf-8")):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(module), name))
            if imported not in found and imported != path:
                found[imported] = None
                todo.append(imported)
    return tuple(found)


class Static(StaticFiles):
    """The files, below their version and below none. What is asked for with the version need not be asked again; the
    rest is asked for each time, and answered with 304 while it is the same."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        first, _, rest = path.partition(os.sep)
        named = first == version() and bool(rest)
        response = await super().get_response(rest if named else path, scope)
        response.headers["Cache-Control"] = _FOREVER if named else "no-cache"
        return response
