"""Second looks in a real browser: from the draw to the settled codes, by an auditor and a coder with accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NOTE = "Assessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, on lisinopril."
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(site: Any) -> str:
    address: str = site.address
    return address


@pytest.fixture
def desk_for(open_page: Callable[..., Page], desk_of: Callable[[Page], Any], site: Any) -> Callable[..., Any]:
    """Gives ``desk_for(name, **options)``: the desk of a user in a browser of their own."""

    def begun(name: str, **options: Any) -> Any:
        page = open_page(**options)
        site.sign_in(page, name)
        return desk_of(page)

    return begun


def assert_accessible(page: Page) -> None:
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


def submitted(anne: Any, reviews: Any) -> int:
    """A note that Anne has coded: the first code of those suggested, and one that the note does not say."""
    number: int = reviews.send(NOTE)["review"]
    anne.open(number)
    anne.press("y")
    anne.saved()
    anne.press("/")
    anne.page.get_by_role("combobox", name="Code, words").fill("R51.9")
    expect(anne.page.locator("#finder-hits li").first).to_contain_text("R51.9")
    anne.press("Enter")
    anne.saved()
    anne.press("s", "Enter")
    anne.page.wait_for_url(lambda url: f"/reviews/{number}" not in url)
    return number


def begin(desk: Any, number: int, mode: str) -> int:
    """Begin a second look at a certain review, and open it; gives its number."""
    audit: int = call(desk, "/v1/audits", {"review": number, "mode": mode})["audit"]
    desk.page.goto(f"/audits/{audit}")
    desk.ready()
    return audit


def call(desk: Any, path: str, record: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the service answers to the user who is signed in at this desk."""
    if record is None:
        answer = desk.page.request.get(path)
    else:
        answer = desk.page.request.post(path, data=json.dumps(record), headers={"Content-Type": "application/json"})
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_blind_look_from_the_draw_to_the_settled_codes(
    desk_for: Callable[..., Any], site_reviews: Any, scheme: str
) -> None:
    anne, ada = desk_for("anne"), desk_for("ada", color_scheme=scheme)
    number = submitted(anne, site_reviews)

    ada.worklist("/audits")
    assert_accessible(ada.page)
    ada.press("n")
    ada.page.wait_for_url("**/audits/*")
    ada.ready()
    audit = int(ada.page.url.rpartition("/")[2])
    look = call(ada, f"/v1/audits/{audit}")
    assert (look["review"], look["mode"]) == (number, "blind")
    assert "R51.9" not in ada.page.content() and not {"coder", "coder_codes"} & look.keys()
    expect(ada.page.get_by_role("button", name="Hold")).to_have_count(0)
    assert_accessible(ada.page)
    for _ in ada.group("code"):
        ada.press("y")
    ada.saved()
    ada.press("s")
    expect(ada.page.get_by_role("button", name="Submit, and compare")).to_be_visible()
    ada.press("Enter")

    panel = ada.page.locator(".comparison")
    expect(panel).to_contain_text("1 agreed · 1 missed · 1 by the coder alone · F1 50 %")
    expect(panel.locator(".difference")).to_have_count(2)
    assert_accessible(ada.page)
    for verdict in ("auditor", "both"):
        line = panel.locator(".difference").filter(has=ada.page.get_by_role("button", name="Mark")).first
        line.get_by_label("Verdict").select_option(verdict)
        line.get_by_label("Reason").select_option(index=1)
        line.get_by_label("Comment").fill(SCRIPT)
        left = ada.page.get_by_role("button", name="Mark").count()
        line.get_by_role("button", name="Mark").click()
        expect(ada.page.get_by_role("button", name="Mark")).to_have_count(left - 1)
    expect(panel.locator(".difference").first).to_contain_text(SCRIPT)
    assert ada.page.locator("img[src=x]").count() == 0

    anne.worklist("/audits")
    row = anne.page.locator(".row").filter(has=anne.page.locator(f"a[href='/audits/{audit}']"))
    expect(row).to_contain_text("looked at by ada")
    expect(row).to_contain_text("2 to answer")
    row.get_by_role("link").click()
    expect(anne.page.locator("#banner")).to_contain_text("Second look of ada at the codes of anne")
    assert_accessible(anne.page)
    for answer, why in (("agree", ""), ("rebut", SCRIPT)):
        forms = anne.page.locator(".difference:not(:has(.said))")
        left = anne.page.locator(".said").count()
        forms.first.get_by_label("Answer").select_option(answer)
        forms.first.get_by_label("Why").fill(why)
        forms.first.get_by_role("button", name="Answer").click()
        expect(anne.page.locator(".said")).to_have_count(left + 1)
    assert anne.page.locator("img[src=x]").count() == 0

    ada.page.reload()
    expect(ada.page.locator("#banner")).to_contain_text("answered")
    ada.page.locator("[data-close]").click()
    expect(ada.page.locator(".settled")).to_contain_text("Settled codes")
    expect(ada.page.locator("[data-close]")).to_have_count(0)
    assert_accessible(ada.page)
    done = call(ada, f"/v1/audits/{audit}")
    assert done["state"] == "closed" and done["final_codes"]

    ada.page.goto("/reports?report=agreement-by-coder&coder=anne")
    expect(ada.page.locator("tbody tr")).to_contain_text("anne")
    ada.page.goto("/reports?report=agreement-by-code&coder=anne")
    expect(ada.page.locator("tbody tr").filter(has_text="R51.9")).to_have_count(1)
    assert_accessible(ada.page)


def test_an_open_look_starts_from_the_coders_codes_and_is_closed_without_an_answer(
    desk_for: Callable[..., Any], site_reviews: Any
) -> None:
    anne, ada = desk_for("anne"), desk_for("ada")
    audit = begin(ada, submitted(anne, site_reviews), "open")
    assert "R51.9" in ada.group("final")
    ada.select("R51.9")
    ada.press("x", "1")
    ada.saved()
    ada.press("u")
    ada.saved()
    assert "R51.9" in ada.group("final")
    ada.press("U")
    ada.saved()
    ada.press("s", "Enter")
    line = ada.page.locator(".difference")
    expect(line).to_have_count(1)
    line.get_by_role("button", name="Mark").click()
    expect(ada.page.locator("#toasts")).to_contain_text("verdict")
    ada.press("s")
    ada.press("Enter")
    expect(ada.page.locator("#toasts")).to_contain_text("Mark every difference")
    line.get_by_label("Verdict").select_option("auditor")
    line.get_by_label("Reason").select_option(index=1)
    line.get_by_role("button", name="Mark").click()
    expect(ada.page.get_by_role("button", name="Change")).to_be_visible()
    ada.page.locator("#banner").click()
    ada.press("s")
    expect(ada.page.get_by_role("dialog")).to_contain_text("Close without 1 answer")
    ada.press("Enter")
    expect(ada.page.locator(".settled")).to_be_visible()
    assert "R51.9" not in {line["code"] for line in call(ada, f"/v1/audits/{audit}")["final_codes"]}


def test_a_second_look_is_given_up_and_another_auditor_takes_the_note(
    desk_for: Callable[..., Any], site_reviews: Any, site: Any
) -> None:
    anne, ada = desk_for("anne"), desk_for("ada")
    number = submitted(anne, site_reviews)
    audit = begin(ada, number, "blind")
    ada.press("y")
    ada.saved()
    ada.press("g")
    expect(ada.page.get_by_role("dialog")).to_contain_text("Give the second look up?")
    assert_accessible(ada.page)
    ada.press("Escape")
    ada.press("g", "Enter")
    ada.page.wait_for_url("**/audits")
    expect(ada.page.locator(".row").filter(has=ada.page.locator(f"a[href='/audits/{audit}']"))).to_contain_text(
        "abandoned"
    )
    ada.page.goto(f"/audits/{audit}")
    expect(ada.page.locator("#banner")).to_contain_text("ada gave this second look up")
    expect(ada.page.get_by_role("button", name="Give up")).to_be_hidden()
    assert ("abandon", f"audit/{audit}") in site.trail()
    anne.page.goto(f"/audits/{audit}")
    expect(anne.page.locator("#banner")).to_contain_text("no such second look")
    root = desk_for("root")
    assert begin(root, number, "blind") > audit
    root.press("g", "Enter")
    root.page.wait_for_url("**/audits")


def test_a_foreign_and_a_stale_second_look_are_told(desk_for: Callable[..., Any], site_reviews: Any) -> None:
    anne, ada, root = desk_for("anne"), desk_for("ada"), desk_for("root")
    audit = begin(ada, submitted(anne, site_reviews), "blind")
    root.page.goto(f"/audits/{audit}")
    expect(root.page.locator("#banner")).to_contain_text("ada takes this second look")
    root.press("y", "s")
    assert root.page.locator("dialog[open]").count() == 0
    assert call(root, f"/v1/audits/{audit}")["decisions"] == []

    first, second, *_ = ada.group("code")
    system = {"system": "icd-10-cm"}
    call(ada, f"/v1/audits/{audit}/decisions", {"version": 1, "kind": "accepted", **system, "code": second})
    ada.press("y")  # on the version before
    ada.saved()
    expect(ada.page.locator("#toasts")).to_contain_text("changed elsewhere")
    assert set(ada.group("final")) == {first, second}

    state = call(root, f"/v1/audits/{audit}")
    call(root, f"/v1/audits/{audit}/abandon", {"version": state["version"]})
    ada.press("u")
    expect(ada.page.locator("#banner")).to_contain_text("abandoned")
    expect(ada.page.locator("#toasts")).to_contain_text("Not saved: Undone")
    ada.page.goto("/audits/2147483647")
    expect(ada.page.locator("#banner")).to_contain_text("no such second look")
