/** The review view: the note on one side, its codes on the other, and what ties them. */

import { byId, plural } from "./dom.js";
import { renderCodes } from "./codes-view.js";
import { NoteView } from "./note-view.js";
import { CodePoints } from "./offsets.js";
import { painterFor } from "./painters.js";

export class Review {
  /** @param {(system: string, code: string) => void} onCode opens a code's definition */
  constructor(onCode) {
    this.root = byId("review");
    this.codes = byId("codes");
    this.note = byId("note");
    this.view = new NoteView(this.note, byId("tabs"));
    this.painter = painterFor(this.view);
    this.handlers = { onCode, onQuote: (span) => this.view.reveal(span) };
    this.cards = [];
    this.selected = null;
    this.root.addEventListener("keydown", (event) => this.#onKey(event));
    this.codes.addEventListener("focusin", (event) => this.#onFocus(event));
    this.codes.addEventListener("click", (event) => this.#onCardClick(event));
    this.note.addEventListener("click", (event) => this.#onNoteClick(event));
    this.note.addEventListener("pointermove", (event) => this.#onPointer(event));
  }

  /** Show the note while its codes are being found. */
  showNote({ title, facts, documents }) {
    byId("review-title").textContent = title;
    byId("review-facts").textContent = facts;
    this.cards = [];
    this.selected = null;
    this.codes.replaceChildren();
    this.codes.setAttribute("aria-busy", "true");
    this.view.show(documents);
    this.points = new Map(documents.map(({ id, text }) => [id, new CodePoints(text)]));
    this.only = documents[0].id;
    this.painter.paint(new Map());
  }

  /** Show what the service found in the note. Returns a sentence that says how much. */
  showResult(result) {
    this.codes.setAttribute("aria-busy", "false");
    const spansOf = ({ evidence }) => evidence.map((e) => this.#span(e, e.document));
    this.cards = renderCodes(this.codes, result, spansOf, this.handlers);
    this.#paint();
    const count = (tier) => this.cards.filter((card) => card.tier === tier).length;
    const found = result.findings.length ? `, ${plural(result.findings.length, "finding")}` : "";
    const codes = `${plural(count("code"), "code")}, ${plural(count("candidate"), "candidate")}`;
    return `${codes}, ${count("discarded")} discarded${found}`;
  }

  #span({ start, end }, documentId) {
    const id = this.points.has(documentId) ? documentId : this.only;
    const points = this.points.get(id);
    return { document: id, start: points.toUnits(start), end: points.toUnits(end) };
  }

  #paint() {
    const layers = new Map();
    const add = (name, span) => layers.set(name, [...(layers.get(name) ?? []), span]);
    for (const { item, tier, spans } of this.cards) {
      item.evidence.forEach(({ assertion }, index) => {
        add(`tier-${tier}`, spans[index]);
        if (assertion.status !== "present") add(`status-${assertion.status}`, spans[index]);
      });
    }
    if (this.selected) {
      for (const span of this.selected.spans) add("selected", span);
      for (const { assertion, document } of this.selected.item.evidence) {
        if (assertion.cue) add("cue", this.#span(assertion.cue, document));
      }
    }
    this.painter.paint(layers);
  }

  /** Make a card the selected one; `reveal` scrolls its evidence into view. */
  #select(card, reveal) {
    if (this.selected !== card) {
      if (this.selected) delete this.selected.box.dataset.selected;
      this.selected = card;
      card.box.dataset.selected = "";
      this.#paint();
    }
    if (reveal && card.spans.length) this.view.reveal(card.spans.find((s) => s.document === this.view.current) ?? card.spans[0]);
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

  #hitsAt(x, y) {
    const position = this.view.positionAt(x, y);
    if (position === null) return [];
    const hit = (span) =>
      span.document === this.view.current &&
      span.start <= position &&
      position <= span.end &&
      [...this.view.range(span).getClientRects()].some((r) => r.left <= x && x <= r.right && r.top <= y && y <= r.bottom);
    return this.cards.filter(({ spans }) => spans.some(hit));
  }

  #onNoteClick(event) {
    if (!getSelection().isCollapsed) return;
    const hits = this.#hitsAt(event.clientX, event.clientY);
    if (!hits.length) return;
    const card = hits[(hits.indexOf(this.selected) + 1) % hits.length]; // a second click takes the next code of the span
    this.#select(card, false);
    this.quiet = true;
    card.head.focus();
    this.quiet = false;
    card.box.scrollIntoView({ block: "nearest" });
  }

  #onPointer(event) {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.view.panel.classList.toggle("over-evidence", this.#hitsAt(event.clientX, event.clientY).length > 0);
    });
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
