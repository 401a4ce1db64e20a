/** A note that is only looked at, on one side, its codes on the other, and what ties them. */

import { renderCodes } from "./codes-view.js";
import { byId, plural } from "./dom.js";
import { NotePane } from "./note-pane.js";

export class Look {
  /** @param {(system: string, code: string) => void} onCode opens a code's definition */
  constructor(onCode) {
    this.root = byId("review");
    this.codes = byId("codes");
    this.note = new NotePane(byId("note"), byId("tabs"), (hits) => this.#onPick(hits));
    this.handlers = { onCode, onQuote: (span) => this.note.view.reveal(span) };
    this.cards = [];
    this.selected = null;
    this.root.addEventListener("keydown", (event) => this.#onKey(event));
    this.codes.addEventListener("focusin", (event) => this.#onFocus(event));
    this.codes.addEventListener("click", (event) => this.#onCardClick(event));
  }

  /** Show the note while its codes are being found. */
  showNote({ title, facts, documents }) {
    byId("review-title").textContent = title;
    byId("review-facts").textContent = facts;
    this.cards = [];
    this.selected = null;
    this.codes.replaceChildren();
    this.codes.setAttribute("aria-busy", "true");
    this.note.show(documents);
  }

  /** Show what the service found in the note. Returns a sentence that says how much. */
  showResult(result) {
    this.codes.setAttribute("aria-busy", "false");
    this.cards = renderCodes(this.codes, result, (item) => this.note.spansOf(item), this.handlers);
    this.note.mark(this.cards, null);
    const count = (tier) => this.cards.filter((card) => card.tier === tier).length;
    const found = result.findings.length ? `, ${plural(result.findings.length, "finding")}` : "";
    const codes = `${plural(count("code"), "code")}, ${plural(count("candidate"), "candidate")}`;
    return `${codes}, ${count("discarded")} discarded${found}`;
  }

  /** Make a card the selected one; `reveal` scrolls its evidence into view. */
  #select(card, reveal) {
    if (this.selected !== card) {
      if (this.selected) delete this.selected.box.dataset.selected;
      this.selected = card;
      card.box.dataset.selected = "";
      this.note.mark(this.cards, card);
    }
    if (reveal) this.note.reveal(card);
  }

  #cardOf(target) {
    const box = target.closest?.(".card");
    return this.cards.find((card) => card.box === box);
  }

  #onFocus(event) {
    const card = this.#cardOf(event.target);
    if (card && !this.quiet && event.target === card.head) this.#select(card, true);
  }

  #onCardClick(event) {
    const card = this.#cardOf(event.target);
    if (!card || !card.head.contains(event.target)) return;
    this.#select(card, true); // some browsers don't focus a button that is clicked
    card.toggle();
  }

  #onPick(hits) {
    const card = hits[(hits.indexOf(this.selected) + 1) % hits.length]; // a second click takes the next code of the span
    this.#select(card, false);
    this.quiet = true;
    card.head.focus();
    this.quiet = false;
    card.box.scrollIntoView({ block: "nearest" });
  }

  /** j and k move everywhere in the view, arrows in the list of codes; Enter on a card is the button's own. */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.cards.length) return;
    const inCodes = this.codes.contains(event.target);
    const steps = inCodes ? { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 } : { j: 1, k: -1 };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      const now = this.cards.indexOf(this.selected);
      const next = now < 0 ? 0 : Math.min(Math.max(now + step, 0), this.cards.length - 1);
      this.cards[next].head.focus();
      this.cards[next].box.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && this.selected && !event.target.closest("button")) {
      event.preventDefault();
      this.selected.toggle();
      this.selected.head.focus();
    }
  }
}
