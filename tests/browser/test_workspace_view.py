"""What the review shows: evidence to the character, long notes, documents, search; narrow, dark, and to axe."""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

NOTE = (
    "HPI: Follow-up visit.\nAssessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension.\n"
    "Family History: Father had colon cancer.\nDenies chest pain."
)
EMOJI = (
    "🩺 Seen 👩‍⚕️ with her son 👨‍👩‍👧.\r\nRe\u0301sume\u0301: שלום 🎉🎉.\r\n"
    "Assessment:\r\n1. Type 2 diabetes mellitus 🍬.\r\n"
    "2. Essential hypertension 🫀.\r\nDenies chest pain 𝛑. Left shoulder 🎈 pain."
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAINTED = """() => Object.fromEntries([...CSS.highlights].map(([name, marks]) => [name, [...marks].map(String)]))"""


def assert_accessible(page: Page) -> None:
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


def test_emoji_and_combining_marks_are_highlighted_exactly(desk: Any, reviews: Any) -> None:
    review = reviews.send(EMOJI)
    desk.open(review["review"])
    painted = desk.page.evaluate(PAINTED)
    wanted = sorted(e["text"] for s in review["result"]["suggestions"] if s["tier"] == "code" for e in s["evidence"])
    assert wanted and sorted(painted["tier-code"]) == wanted
    desk.select_words("shoulder 🎈 pain")
    desk.press("a")
    desk.page.get_by_role("combobox", name="Code, words").fill("M25.512")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("M25.512")
    desk.press("Enter")
    desk.saved()
    (line,) = reviews.state(review["review"])["codes"]
    assert line["evidence"][0]["text"] == "shoulder 🎈 pain"
    assert desk.page.evaluate(PAINTED)["tier-final"] == ["shoulder 🎈 pain"]


def test_marks_lead_to_codes_and_codes_to_marks_by_keys(desk: Any, reviews: Any) -> None:
    review = reviews.send("The wound is dry today.\n" * 150 + NOTE)
    desk.open(review["review"])
    desk.press("j")
    code = desk.selected()
    quotes = [e["text"] for s in review["result"]["suggestions"] if s["code"] == code for e in s["evidence"]]
    assert desk.page.evaluate(PAINTED)["selected"] == quotes
    desk.page.wait_for_function(
        """() => {
          const at = [...CSS.highlights.get("selected")][0].getBoundingClientRect();
          const box = document.querySelector(".note-text").getBoundingClientRect();
          return at.height > 0 && at.top >= box.top && at.bottom <= box.bottom;
        }"""
    )
    wanted = {s["code"] for s in review["result"]["suggestions"] if s["tier"] == "code"}
    for _ in range(60):
        desk.press(".")
        wanted.discard(desk.selected())
    assert not wanted


def test_the_outline_leads_to_a_section(desk: Any, reviews: Any) -> None:
    desk.open(reviews.send("HPI: cough.\n" + "More text.\n" * 200 + NOTE)["review"])
    desk.page.get_by_role("navigation", name="Sections").get_by_role("button", name="Family History").click()
    desk.page.wait_for_function("document.querySelector('.note-text').scrollTop > 1000")


def test_documents_are_tabs_and_evidence_is_found_across_them(desk: Any, reviews: Any) -> None:
    documents = [
        {"id": "visit", "text": "Assessment: Type 2 diabetes mellitus.", "note_type": "progress"},
        {"id": "letter", "text": "🫀 Assessment: Essential hypertension.", "note_type": "consult"},
    ]
    number = reviews.send(documents=documents)["review"]
    desk.open(number)
    desk.select("I10")
    expect(desk.page.get_by_role("tab", name="consult")).to_have_attribute("aria-selected", "true")
    desk.press("[")
    expect(desk.page.get_by_role("tab", name="progress")).to_have_attribute("aria-selected", "true")
    desk.press("]")
    desk.select_words("hypertension")
    desk.press("a")
    desk.page.get_by_role("combobox", name="Code, words").fill("R03.0")
    expect(desk.page.locator("#finder-hits li").first).to_contain_text("R03.0")
    desk.press("Enter")
    desk.saved()
    (evidence,) = reviews.state(number)["codes"][0]["evidence"]
    assert (evidence["document"], evidence["text"]) == ("letter", "hypertension")


def long_note(reviews: Any) -> int:
    """A note of 60,000 characters; gives the number of its review."""
    lines = [NOTE.replace("Follow-up visit", f"Day {day}: seen on rounds, no change") for day in range(400)]
    number: int = reviews.send("\n".join(lines)[:60_000])["review"]
    return number


def time_to_open(page: Page, number: int) -> float:
    """Milliseconds from the request of the page until the codes are there and the keys work, as the browser has it."""
    page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          const codes = document.querySelector("#codes");
          new MutationObserver(() => requestAnimationFrame(() => { window.opened ??= performance.now(); }))
            .observe(codes, {attributeFilter: ["aria-busy"]});
        })"""
    )
    page.goto(f"/reviews/{number}")
    page.wait_for_function("() => window.opened")
    took: float = page.evaluate("window.opened")
    return took


def times_to_open(open_page: Callable[..., Page], reviews: Any) -> tuple[float, float]:
    """The median of five first loads of a long note, each in a browser that has nothing of the service yet, and of
    five more, each in one that has just shown another note."""
    number, other = long_note(reviews), reviews.send(NOTE)["review"]
    first, next_one = [], []
    for _ in range(5):
        page = open_page()
        first.append(time_to_open(page, number))
        page.goto(f"/reviews/{other}")
        next_one.append(time_to_open(page, number))
        page.context.close()
    print(
        f"60 KB: first load {median(first):.0f} ms ({min(first):.0f} to {max(first):.0f}), from another note "
        f"{median(next_one):.0f} ms, with {os.getloadavg()[0]:.1f} at work on {os.cpu_count()} processors"
    )
    return median(first), median(next_one)


def test_a_note_of_60_kb_opens_soon_in_a_new_browser(open_page: Callable[..., Page], reviews: Any) -> None:
    assert max(times_to_open(open_page, reviews)) < 1000 * SLOW


@pytest.mark.bars
def test_a_note_of_60_kb_opens_in_a_second(open_page: Callable[..., Page], reviews: Any) -> None:
    assert max(times_to_open(open_page, reviews)) < 1000


def test_a_note_of_60_kb_does_not_stutter(desk: Any, reviews: Any) -> None:
    desk.open(long_note(reviews))
    worst = desk.page.evaluate(
        """async () => {
          const box = document.querySelector(".note-text"), times = [];
          let last = performance.now();
          for (let i = 0; i < 60; i += 1) {
            box.scrollTop += 400;
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - last);
            last = performance.now();
          }
          return times.sort((a, b) => b - a)[3];
        }"""
    )
    assert worst < 50 * SLOW, f"{worst:.0f} ms a frame"
    started = desk.page.evaluate("performance.now()")
    desk.press("j")
    desk.page.evaluate("new Promise(requestAnimationFrame)")
    took = desk.page.evaluate("performance.now()") - started
    assert took < 200 * SLOW, f"{took:.0f} ms to select a code"


SLOW = 3
"""How much slower than a quiet machine the one that runs the tests may be."""


def test_the_search_answers_within_100_ms_and_leads_through_the_hierarchy(desk: Any, reviews: Any) -> None:
    desk.open(reviews.send(NOTE)["review"])
    page = desk.page
    desk.press("/")
    box = page.get_by_role("combobox", name="Code, words")
    times = []
    for word in ("T2DM", "knee pain", "heart failure", "E11.4", "copd"):
        with page.expect_response("**/v1/codes?*") as answer:
            box.fill(word)
        answer.value.finished()
        times.append(answer.value.request.timing["responseEnd"] - answer.value.request.timing["requestStart"])
    assert sorted(times)[2] < 100 * SLOW, times
    box.fill("E11.4")
    page.get_by_label("code system").select_option("icd-10-cm")
    panel = page.locator("#finder-code")
    expect(panel).to_contain_text("E11.4")
    panel.get_by_role("button", name="E11", exact=True).first.click()
    expect(panel).to_contain_text("Type 2 diabetes mellitus")
    expect(panel).to_contain_text("not billable")
    expect(panel).to_contain_text("Excludes 1")
    panel.get_by_role("button", name="E11.9").click()
    expect(panel).to_contain_text("valid on 2026-03-02")
    panel.get_by_role("button", name="Add E11.9").click()
    desk.saved()
    assert desk.group("final") == ["E11.9"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_state(
    open_page: Callable[..., Page], desk_of: Callable[[Page], Any], reviews: Any, scheme: str
) -> None:
    page = open_page(color_scheme=scheme)
    desk = desk_of(page)
    number = reviews.send(NOTE, setting="inpatient")["review"]
    desk.worklist(reviews.path)
    assert_accessible(page)
    desk.worklist(f"{reviews.path}&list=held")
    assert_accessible(page)
    desk.open(number)
    desk.press("y", "x", "1")
    desk.saved()
    desk.press("e")
    page.get_by_role("button", name="Show what was discarded").click()
    assert_accessible(page)
    for keys in (["x"], ["?"], ["s"], ["/"], ["h"]):
        desk.press(*keys)
        if keys == ["/"]:
            page.keyboard.type("diabetes")
            expect(page.locator("#finder-hits li").first).to_be_visible()
            expect(page.locator("#finder-code")).to_contain_text("Under")
        assert_accessible(page)
        desk.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    assert_accessible(page)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (900, 700), (768, 900), (390, 844), (320, 640)])
def test_every_width_shows_both_panes(
    open_page: Callable[..., Page], desk_of: Callable[[Page], Any], reviews: Any, width: int, height: int
) -> None:
    page = open_page(viewport={"width": width, "height": height})
    desk = desk_of(page)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    number = reviews.send(NOTE, setting="inpatient")["review"]
    desk.worklist(reviews.path)
    assert fits()
    desk.open(number)
    desk.press("y")
    desk.saved()
    for pane, part in (("note", ".note-text"), ("codes", "#codes")):
        if width <= 900:
            page.locator(f"[data-show={pane}]").click()
        box = page.locator(part).bounding_box()
        assert box and box["height"] > 200 and box["width"] > 250, part
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert fits()
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([type=checkbox]), select, summary")]
          .map((e) => [e.textContent || e.name, e.getBoundingClientRect()])
          .filter(([, box]) => box.height > 0 && (box.height < 24 || box.width < 24)).map(([name]) => name)"""
    )
    assert small == []


def test_the_marks_without_the_highlight_api(
    open_page: Callable[..., Page], desk_of: Callable[[Page], Any], reviews: Any
) -> None:
    desk = desk_of(open_page(init="delete window.Highlight;"))
    desk.open(reviews.send(EMOJI)["review"])
    desk.press("y")
    desk.saved()
    assert desk.page.locator("mark.tier-final").first.text_content()
    assert desk.page.locator(".note-text").text_content() == EMOJI
