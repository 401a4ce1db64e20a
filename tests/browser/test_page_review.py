"""The list of codes: what each says, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

NOTE = "Assessment: Type 2 diabetes mellitus, on metformin. Essential hypertension, on lisinopril.\nDenies chest pain."


def test_three_groups_and_every_code_once(workspace: Any) -> None:
    result = workspace.code(NOTE)
    page = workspace.page
    for tier in ("code", "candidate"):
        shown = page.locator(f'.group[data-tier="{tier}"] .card-code').all_text_contents()
        assert shown == [s["code"] for s in result["suggestions"] if s["tier"] == tier]
    left_out = page.locator('.group[data-tier="discarded"]')
    assert left_out.locator(".card-code").all_text_contents() == [d["code"] for d in result["discarded"]]
    for item in result["discarded"]:
        expect(left_out).to_contain_text(item["reason"])
    expect(page.locator(".finding")).to_have_count(len(result["findings"]))


def test_a_card_says_how_likely_and_opens_on_why(workspace: Any) -> None:
    result = workspace.code(NOTE)
    first = result["suggestions"][0]
    card = workspace.page.locator(".card").first
    expect(card).to_contain_text(first["display"])
    expect(card).to_contain_text("%")
    expect(card.locator(".card-word")).not_to_be_empty()
    body = card.locator(".card-body")
    expect(body).to_be_hidden()
    card.locator(".card-head").click()
    expect(body).to_be_visible()
    for text in (*(r["message"] for r in first["explanation"]), *first["specificity"]):
        expect(body).to_contain_text(text)
    for alternative in first["alternatives"]:
        expect(body).to_contain_text(alternative["code"])
    expect(body.locator(".quote")).to_have_count(len(first["evidence"]))
    card.locator(".card-head").click()
    expect(body).to_be_hidden()


def test_the_keyboard_moves_and_opens(workspace: Any) -> None:
    result = workspace.code(NOTE)
    order = [s["code"] for tier in ("code", "candidate") for s in result["suggestions"] if s["tier"] == tier]
    order += [d["code"] for d in result["discarded"]]
    assert len(order) >= 3
    keyboard = workspace.page.keyboard
    seen = []
    for key in ("j", "j", "k", "ArrowDown", "ArrowDown", "ArrowUp"):
        keyboard.press(key)
        seen.append(workspace.selected_code())
    assert seen == [order[i] for i in (0, 1, 0, 1, 2, 1)]
    head = workspace.card(order[1]).locator(".card-head").first
    expect(head).to_be_focused()
    keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "false")


def test_letters_typed_elsewhere_move_nothing(workspace: Any) -> None:
    workspace.code(NOTE)
    workspace.page.get_by_role("combobox", name="Search codes").press_sequentially("jk")
    assert workspace.selected_code() is None


def test_the_panes_scroll_on_their_own(workspace: Any) -> None:
    workspace.open_example("discharge-summary")
    tops = workspace.page.evaluate(
        """() => {
          const note = document.querySelector(".note-text"), codes = document.querySelector("#codes");
          note.scrollTop = 60; codes.scrollTop = 40;
          return [note.scrollTop, codes.scrollTop, document.scrollingElement.scrollTop];
        }"""
    )
    assert tops == [60, 40, 0]


def test_back_leads_to_the_form_with_the_note_in_it(workspace: Any) -> None:
    workspace.code(NOTE)
    workspace.page.go_back()
    expect(workspace.page.locator("textarea")).to_have_value(NOTE)
    expect(workspace.page.locator("#review")).to_be_hidden()


def test_an_example_can_be_edited(workspace: Any) -> None:
    workspace.open_example("emergency")
    workspace.page.get_by_role("button", name="Edit note").click()
    expect(workspace.page.locator("textarea")).to_be_focused()
    assert "Colles" in workspace.page.locator("textarea").input_value()


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_note_is_refused_in_words(workspace: Any, text: str) -> None:
    workspace.code(text)
    expect(workspace.page.get_by_role("alert")).to_contain_text("empty")
    expect(workspace.page.locator("#compose")).to_be_visible()


def test_a_document_can_be_removed_again(workspace: Any) -> None:
    page = workspace.page
    page.goto("/new")
    page.get_by_role("button", name="Add document").click()
    expect(page.get_by_role("group", name="Document 2")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("textarea")).to_have_count(1)
    expect(page.get_by_role("group", name="Note")).to_be_visible()


def test_the_service_stopped_while_a_note_is_open(workspace: Any) -> None:
    page = workspace.page
    page.goto("/new")
    page.route("**/v1/suggestions", lambda route: route.abort())
    page.locator("textarea").fill(NOTE)
    page.get_by_role("button", name="Suggest codes").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator("textarea")).to_have_value(NOTE)


def test_the_search_finds_from_two_letters_and_shows_a_code(workspace: Any) -> None:
    page = workspace.page
    page.goto("/new")
    box = page.get_by_role("combobox", name="Search codes")
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "/v1/codes" in r.url else None)
    box.press_sequentially("t")
    page.wait_for_timeout(400)
    assert not asked
    box.press_sequentially("ype 2 diabetes", delay=15)
    options = page.get_by_role("option")
    expect(options.filter(has_text="E11.9").first).to_be_visible()
    assert len(asked) <= 3, "waits for a pause in typing"
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    code = options.first.locator(".card-code").text_content()
    box.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(code)
    expect(dialog).to_contain_text("billable")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_note_that_is_looked_at_is_not_kept(workspace: Any) -> None:
    called = set()
    workspace.page.on(
        "request", lambda r: called.add((r.method, r.url.split("/v1/")[1].split("?")[0])) if "/v1/" in r.url else None
    )
    workspace.open_example("radiology")
    workspace.page.get_by_role("combobox", name="Search codes").fill("emphysema")
    workspace.page.wait_for_timeout(500)
    assert called == {("POST", "suggestions"), ("GET", "codes"), ("GET", "session")}
