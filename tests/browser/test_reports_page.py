"""The page of reports over what the API answers: its shape is of the tests of the API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlparse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ROWS = [
    {"week": "2026-03-02", "suggested": 40, "accepted": 31, "acceptance": 0.775},
    {"week": "2026-03-09", "suggested": 50, "accepted": 45, "acceptance": 0.9},
    {"week": "<b>2026</b>", "suggested": 0, "accepted": 0, "acceptance": None},
]


def test_a_report_has_a_plot_a_table_and_its_csv(page: Any) -> None:
    asked: list[dict[str, list[str]]] = []

    def answer(route: Route) -> None:
        asked.append(parse_qs(urlparse(route.request.url).query))
        columns = [{"name": name, "label": name.title()} for name in ROWS[0]]
        body = {"report": "acceptance-by-week", "own": False, "columns": columns, "rows": ROWS}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    page.route("**/v1/reports/**", answer)
    page.goto("/reports?setting=inpatient")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").first).to_contain_text("77.5 %")
    expect(page.locator("tbody tr").last).to_contain_text("<b>2026</b>")
    expect(page.locator("svg.plot circle")).to_have_count(2)
    assert asked[-1] == {"setting": ["inpatient"]}
    expect(page.get_by_role("link", name="CSV")).to_have_attribute(
        "href", "/v1/reports/acceptance-by-week?setting=inpatient&format=csv"
    )
    page.get_by_label("Report").select_option("acceptance-by-coder")
    assert "report=acceptance-by-coder" in page.url
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
