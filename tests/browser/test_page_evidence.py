"""The marks in the note are exactly the server's evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

EMOJI = (
    "🩺 Seen today 👩‍⚕️ with her son 👨‍👩‍👧.\r\n"
    "Re\u0301sume\u0301: שלום, feels ok 🎉🎉.\r\n"
    "Assessment:\r\n1. Type 2 diabetes mellitus 🍬, continue metformin.\r\n2. Essential hypertension 🫀.\r\n"
    "Denies chest pain 𝛑.\r\n"
)
NO_HIGHLIGHTS = "delete window.Highlight;"


def evidence_by_layer(result: dict[str, Any]) -> dict[str, Counter[str]]:
    layers: dict[str, Counter[str]] = {}
    groups = [*((s["tier"], s) for s in result["suggestions"]), *(("discarded", d) for d in result["discarded"])]
    for tier, item in groups:
        for e in item["evidence"]:
            layers.setdefault(f"tier-{tier}", Counter())[e["text"]] += 1
            if e["assertion"]["status"] != "present":
                layers.setdefault(f"status-{e['assertion']['status']}", Counter())[e["text"]] += 1
    return layers


@pytest.mark.parametrize("name", ["progress", "discharge-summary", "durable-equipment"])
def test_an_example_has_its_evidence_marked(workspace: Any, name: str) -> None:
    result = workspace.open_example(name)
    layers = evidence_by_layer(result)
    assert layers["tier-code"]
    for layer, texts in layers.items():
        assert Counter(workspace.painted(layer)) == texts, layer


def test_emoji_and_crlf_do_not_move_the_marks(workspace: Any) -> None:
    result = workspace.code(EMOJI)
    layers = evidence_by_layer(result)
    assert any("diabetes" in text.lower() for text in layers["tier-code"])
    for layer, texts in layers.items():
        assert Counter(workspace.painted(layer)) == texts, layer


def test_the_note_shown_is_the_note_sent(workspace: Any) -> None:
    with workspace.page.expect_request("**/v1/suggestions") as request:
        workspace.code(EMOJI + "x" * 20_000 + "\n\n" + "last line")
    assert workspace.page.locator(".note-text").text_content() == request.value.post_data_json["text"]


def test_marks_without_the_highlight_api(open_page: Callable[..., Page], workspace_of: Callable[[Page], Any]) -> None:
    workspace = workspace_of(open_page(init=NO_HIGHLIGHTS))
    result = workspace.code(EMOJI)
    text = workspace.page.locator(".note-text").text_content()
    wanted = {
        place
        for item in (*result["suggestions"], *result["discarded"])
        for e in item["evidence"]
        for place in range(e["start"], e["end"])
    }
    pieces = workspace.page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.querySelector(".note-text"), NodeFilter.SHOW_TEXT);
          const pieces = [];
          while (walker.nextNode()) {
            const node = walker.currentNode;
            pieces.push([node.data, !!node.parentElement.closest("mark")]);
          }
          return pieces;
        }"""
    )
    assert "".join(piece for piece, _ in pieces) == text
    marked: set[int] = set()
    at = 0
    for piece, is_marked in pieces:
        if is_marked:
            marked |= set(range(at, at + len(piece)))
        at += len(piece)
    assert marked == wanted


@pytest.mark.parametrize("init", ["", NO_HIGHLIGHTS], ids=["highlights", "marks"])
def test_a_click_on_a_mark_selects_its_code(
    open_page: Callable[..., Page], workspace_of: Callable[[Page], Any], init: str
) -> None:
    workspace = workspace_of(open_page(init=init))
    result = workspace.code("Assessment: Type 2 diabetes mellitus, on metformin. Essential hypertension, stable.")
    hypertension = next(s for s in result["suggestions"] if s["code"] == "I10")["evidence"][0]
    point = workspace.page.evaluate(
        """([start, end]) => {
          const walker = document.createTreeWalker(document.querySelector(".note-text"), NodeFilter.SHOW_TEXT);
          for (let at = 0; walker.nextNode(); at += walker.currentNode.length) {
            if (start >= at + walker.currentNode.length) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, start - at);
            range.setEnd(walker.currentNode, Math.min(end - at, walker.currentNode.length));
            const box = range.getClientRects()[0];
            return [box.left + box.width / 2, box.top + box.height / 2];
          }
        }""",
        [hypertension["start"], hypertension["end"]],
    )
    workspace.page.mouse.click(*point)
    expect(workspace.card("I10")).to_have_attribute("data-selected", "")
    expect(workspace.card("I10").locator(".card-head")).to_be_focused()
    workspace.page.mouse.click(point[0], point[1] + 200)  # empty space: nothing changes
    assert workspace.selected_code() == "I10"


def test_selecting_a_code_emphasises_its_evidence_and_scrolls_to_it(workspace: Any) -> None:
    filler = "The wound is clean and dry today.\n" * 120
    result = workspace.code(f"{filler}Assessment: Essential hypertension, stable on lisinopril.\n{filler}")
    mine = next(s for s in result["suggestions"] if s["code"] == "I10")
    workspace.card("I10").locator(".card-head").click()
    assert workspace.painted("selected") == [e["text"] for e in mine["evidence"]]
    seen = workspace.page.evaluate(
        """() => {
          const [range] = CSS.highlights.get("selected");
          const at = range.getBoundingClientRect(), box = document.querySelector(".note-text").getBoundingClientRect();
          return at.top >= box.top && at.bottom <= box.bottom && at.height > 0;
        }"""
    )
    assert seen


def test_a_long_note_scrolls_to_its_evidence_too(workspace: Any) -> None:
    filler = "The wound is clean and dry today.\n" * 3000
    workspace.code(f"{filler}Assessment: Essential hypertension, stable on lisinopril.\n{filler}")
    workspace.card("I10").locator(".card-head").click()
    workspace.page.wait_for_function(
        """() => {
          const [range] = CSS.highlights.get("selected");
          const at = range.getBoundingClientRect(), box = document.querySelector(".note-text").getBoundingClientRect();
          return at.top >= box.top && at.bottom <= box.bottom && at.height > 0;
        }""",
        timeout=5000,
    )


def test_an_encounter_has_a_tab_for_each_document(workspace: Any) -> None:
    result = workspace.code(
        "Assessment: Type 2 diabetes mellitus 🍬, on metformin.",
        "🫀 Assessment: Essential hypertension, on lisinopril.",
    )
    tabs = workspace.page.get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    evidence = next(s for s in result["suggestions"] if s["code"] == "I10")["evidence"]
    assert {e["document"] for e in evidence} == {"document-2"}
    workspace.card("I10").locator(".card-head").click()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    assert workspace.painted("selected") == [e["text"] for e in evidence]
    expect(workspace.page.locator(".note-text:visible")).to_contain_text("Essential hypertension")
    tabs.nth(1).press("ArrowLeft")
    expect(tabs.nth(0)).to_be_focused()
    expect(workspace.page.locator(".note-text:visible")).to_contain_text("diabetes")
