"""Whether the process runs, and whether it can code."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.openapi import problems
from api.schemas import HealthOut, ReadyOut

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="The process runs")
async def healthz() -> HealthOut:
    """Answers from the first moment, whatever is still being loaded."""
    return HealthOut()


@router.get("/readyz", summary="The service can code", responses=problems("not-ready", "model-unusable"))
async def readyz(request: Request) -> ReadyOut:
    """503 until the model and the terminology are loaded."""
    assistant = request.app.state.engine.assistant
    model = assistant.model
    return ReadyOut(
        model={"name": model.name, "version": model.version, "sha256": model.sha256},
        terminology=dict(assistant.releases),
    )
