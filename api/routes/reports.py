"""Reports: how suggestions were taken, how long notes took, how far coders and auditors agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.errors import Problem
from api.openapi import problems
from api.report_schemas import ReportOut, ReportQuery
from api.reviews.reports import Report, ReportName, Span, report
from api.reviews.tables import csv_line, read_table
from api.routes.answers import json_response
from api.routes.asking import assistant_of, database_of, releases_of
from api.store.audit import append
from api.users import ReviewReader

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

router = APIRouter(prefix="/v1/reports", tags=["reports"])


@router.get(
    "/{name}",
    summary="Make a report",
    response_model=ReportOut,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems("invalid-request", "forbidden", "not-ready"),
    },
)
def show(
    request: Request,
    user: ReviewReader,
    name: ReportName,
    query: Annotated[ReportQuery, Query()],
) -> Response:
    """A table of figures over what was submitted in these days, as JSON or as CSV. Without the scope `reports` a coder
    sees their own figures."""
    own = "reports" not in user.scopes
    if own and query.coder not in (None, user.name):
        raise Problem("forbidden", "The figures of others need the scope reports.")
    coder = user.name if own else query.coder
    span = Span(query.date_from, query.date_to, coder, query.setting, query.specialty, query.limit)
    assistant = assistant_of(request)
    database = database_of(request)
    with database.reading() as session:
        table = report(session, name, span)
    given = query.model_dump(mode="json", exclude_none=True, exclude={"limit"})
    with database.writing() as session:
        append(session, user.name, "report", f"reports/{name}", releases_of(assistant), {**given, "own": own})
    _title(table, assistant)
    if (query.format or _accepted(request)) == "csv":
        return _csv(name, table)
    labels = {row[0]: row[1] for row in read_table("report_columns.tsv", 2)}
    columns = [{"name": column, "label": labels[column]} for column in table.columns]
    rows = [{column: row[column] for column in table.columns} for row in table.rows]
    return json_response({"report": name, "own": own, "columns": columns, "rows": rows})


def _accepted(request: Request) -> str:
    wanted = request.headers.get("accept", "")
    return "csv" if "text/csv" in wanted and "application/json" not in wanted else "json"


def _title(table: Report, assistant: CodeAssistant) -> None:
    """Give each code its title; one that no edition in the index has keeps none."""
    if "display" not in table.columns:
        return
    store = assistant.terminology
    for row in table.rows:
        found = store.row(row["system"], row["code"])
        row["display"] = "" if found is None else store.title(found)


def _csv(name: str, table: Report) -> Response:
    lines = [csv_line(table.columns), *(csv_line(_cells(row, table.columns)) for row in table.rows)]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("".join(lines), media_type="text/csv", headers=headers)


def _cells(row: dict[str, Any], columns: tuple[str, ...]) -> list[Any]:
    return [row[column] for column in columns]
