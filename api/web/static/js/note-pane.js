/** The note with the marks of its codes: shared by the review and by the page that only looks at a note. */

import { NoteView } from "./note-view.js";
import { CodePoints } from "./offsets.js";
import { painterFor } from "./painters.js";

/** @typedef {{item: object, tier: string, spans: {document: string, start: number, end: number}[]}} Card */

export class NotePane {
  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} tabs
   * @param {(cards: Card[]) => void} onPick gets the cards whose evidence was clicked
   */
  constructor(box, tabs, onPick) {
    this.view = new NoteView(box, tabs);
    this.painter = painterFor(this.view);
    this.cards = [];
    this.points = new Map();
    box.addEventListener("click", (event) => {
      if (!getSelection().isCollapsed) return;
      const hits = this.#hitsAt(event.clientX, event.clientY);
      if (hits.length) onPick(hits);
    });
    box.addEventListener("pointermove", (event) => this.#onPointer(event));
  }

  /** @param {{id: string, label: string, text: string}[]} documents */
  show(documents) {
    this.view.show(documents);
    this.points = new Map(documents.map(({ id, text }) => [id, new CodePoints(text)]));
    this.only = documents[0].id;
    this.cards = [];
    this.painter.paint(new Map());
  }

  /** The span of what the service counts in code points. */
  span({ start, end, document: id }) {
    const found = this.points.has(id) ? id : this.only;
    const points = this.points.get(found);
    return { document: found, start: points.toUnits(start), end: points.toUnits(end) };
  }

  spansOf({ evidence }) {
    return evidence.map((one) => this.span(one));
  }

  /** A span as the service counts it, with the document's name where there are several. */
  asSent({ document: id, start, end }) {
    const points = this.points.get(id);
    const place = { start: points.toPoints(start), end: points.toPoints(end) };
    return this.points.size > 1 ? { ...place, document: id } : place;
  }

  textOf({ document: id, start, end }) {
    return this.view.documents.get(id).text.slice(start, end);
  }

  /** Where words stand in the documents, the current one first, in any case; `null` when nowhere. */
  find(words) {
    const wanted = words.trim().toLowerCase();
    const { documents, current } = this.view;
    const order = [current, ...[...documents.keys()].filter((id) => id !== current)];
    for (const id of wanted ? order : []) {
      const { text } = documents.get(id);
      const lower = text.toLowerCase();
      const start = lower.length === text.length ? lower.indexOf(wanted) : text.indexOf(words.trim());
      if (start >= 0) return { document: id, start, end: start + wanted.length };
    }
    return null;
  }

  /** Mark the evidence of all cards, and more strongly that of the selected one with its cues. */
  mark(cards, selected) {
    this.cards = cards;
    const layers = new Map();
    const add = (name, span) => {
      if (!layers.has(name)) layers.set(name, []);
      layers.get(name).push(span);
    };
    for (const { item, tier, spans } of cards) {
      item.evidence.forEach(({ assertion }, index) => {
        add(`tier-${tier}`, spans[index]);
        if (assertion.status !== "present") add(`status-${assertion.status}`, spans[index]);
      });
    }
    if (selected) {
      for (const span of selected.spans) add("selected", span);
      for (const { assertion, document: id } of selected.item.evidence) {
        if (assertion.cue) add("cue", this.span({ ...assertion.cue, document: id }));
      }
    }
    this.painter.paint(layers);
  }

  /** Bring a card's evidence into view, in the document that is shown where it has some there. */
  reveal({ spans }) {
    if (spans.length) this.view.reveal(spans.find((span) => span.document === this.view.current) ?? spans[0]);
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

  #onPointer({ clientX, clientY }) {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.view.panel.classList.toggle("over-evidence", this.#hitsAt(clientX, clientY).length > 0);
    });
  }
}
