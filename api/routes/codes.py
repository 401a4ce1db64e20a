"""The code systems: search, and one code with its notes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from api.errors import Problem
from api.openapi import problems
from api.schemas import CodeOut, CodesQuery, HitOut
from api.users import needs
from codeassist.result import System

router = APIRouter(prefix="/v1/codes", tags=["codes"], dependencies=[Depends(needs("suggest"))])


@router.get(
    "",
    summary="Search codes",
    response_model=list[HitOut],
    response_description="The codes found, best first.",
    responses=problems("invalid-request", "not-ready"),
)
def search(request: Request, query: Annotated[CodesQuery, Query()]) -> list[HitOut]:
    """Find codes by code, title, synonym or abbreviation, in spite of misspellings."""
    store = request.app.state.engine.assistant.terminology
    hits = store.search(query.q, system=query.system, on=query.date_of_service, limit=query.limit)
    return [HitOut.model_validate(hit) for hit in hits]


@router.get(
    "/{system}/{code}",
    summary="Show a code",
    response_model=CodeOut,
    responses=problems("unknown-code", "invalid-request", "not-ready"),
)
def show(request: Request, system: System, code: Annotated[str, Path(max_length=20)]) -> CodeOut:
    """A code's title, validity, place in the hierarchy and notes. Upper or lower case, with the dot or without."""
    store = request.app.state.engine.assistant.terminology
    entry = store.get(system, code.strip().upper())
    if entry is None:
        raise Problem("unknown-code", f"No edition of {system} in the index has the code {code.strip()!r}.")
    return CodeOut.model_validate(entry)
