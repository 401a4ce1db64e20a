/**
 * The documents of a note as text, in tabs when there are several.
 *
 * A document is cut at line ends into blocks, so that a long one can be laid out piece by piece; the blocks'
 * text together is exactly the text that was sent. Positions here are UTF-16 units.
 */

import { element } from "./dom.js";

const BLOCK = 4000;
const LONG = 30000;

function blocksOf(text) {
  const blocks = [];
  for (let start = 0; start < text.length; ) {
    let end = start + BLOCK < text.length ? text.indexOf("\n", start + BLOCK) + 1 : 0;
    if (end === 0) end = text.length;
    blocks.push({ start, text: text.slice(start, end), box: document.createElement("div") });
    start = end;
  }
  return blocks;
}

export class NoteView {
  constructor(root, tabs) {
    this.root = root;
    this.tabs = tabs;
    this.documents = new Map();
    this.current = "";
    tabs.addEventListener("keydown", (event) => this.#onTabKey(event));
  }

  /** @param {{id: string, label: string, text: string}[]} documents */
  show(documents) {
    this.documents.clear();
    this.current = "";
    this.root.replaceChildren();
    this.tabs.replaceChildren();
    this.tabs.hidden = documents.length < 2;
    documents.forEach(({ id, label, text }, index) => {
      const panel = element("div", "", text.length > LONG ? "note-text long" : "note-text");
      panel.tabIndex = 0;
      panel.id = `document-panel-${index}`;
      panel.setAttribute("aria-label", label);
      panel.setAttribute("role", documents.length > 1 ? "tabpanel" : "region");
      const blocks = blocksOf(text);
      for (const block of blocks) {
        block.box.append(document.createTextNode(block.text));
        panel.append(block.box);
      }
      const tab = element("button", label);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      tab.addEventListener("click", () => this.activate(id));
      this.tabs.append(tab);
      this.root.append(panel);
      this.documents.set(id, { id, text, panel, blocks, tab });
    });
    this.activate(documents[0].id);
  }

  activate(id) {
    const changed = this.current !== id;
    this.current = id;
    for (const entry of this.documents.values()) {
      const selected = entry.id === id;
      entry.panel.hidden = !selected;
      entry.tab.setAttribute("aria-selected", String(selected));
      entry.tab.tabIndex = selected ? 0 : -1;
    }
    if (changed) this.onActivate?.();
  }

  get panel() {
    return this.documents.get(this.current).panel;
  }

  /** The range of a span. */
  range({ document: id, start, end }) {
    const range = document.createRange();
    range.setStart(...this.#locate(id, start, false));
    range.setEnd(...this.#locate(id, end, true));
    return range;
  }

  /** Scroll a span to the middle of its pane, unless it is well in sight. */
  reveal(span) {
    this.activate(span.document);
    const { panel } = this.documents.get(span.document);
    const range = this.range(span);
    const place = () => {
      const box = panel.getBoundingClientRect();
      const at = range.getBoundingClientRect();
      if (at.top < box.top + 24 || at.bottom > box.bottom - 24) {
        panel.scrollTop += at.top - box.top - (box.height - at.height) / 2;
      }
    };
    place();
    if (panel.classList.contains("long")) requestAnimationFrame(place); // blocks on the way got their true heights
  }

  /** Scroll the beginning of a span to the top of its pane. */
  toTop(span) {
    this.activate(span.document);
    const { panel } = this.documents.get(span.document);
    const range = this.range({ ...span, end: span.start + 1 });
    const place = () => {
      panel.scrollTop += range.getBoundingClientRect().top - panel.getBoundingClientRect().top - 10;
    };
    place();
    if (panel.classList.contains("long")) requestAnimationFrame(place);
    panel.focus({ preventScroll: true });
  }

  /** The documents' names in order. */
  get ids() {
    return [...this.documents.keys()];
  }

  /** The position in the current document under a point of the window, or `null`. */
  positionAt(x, y) {
    const caret = document.caretPositionFromPoint?.(x, y);
    const old = caret ? null : document.caretRangeFromPoint?.(x, y);
    const node = caret?.offsetNode ?? old?.startContainer;
    if (!node || !this.panel.contains(node)) return null;
    return this.#positionOf(node, caret ? caret.offset : old.startOffset);
  }

  /** What is selected of the current document, without the white space around it, as a span; `null` for nothing. */
  selection() {
    const chosen = getSelection();
    if (!chosen.rangeCount || chosen.isCollapsed) return null;
    const range = chosen.getRangeAt(0);
    if (!range.intersectsNode(this.panel)) return null;
    const { text } = this.documents.get(this.current);
    const inside = (node) => node !== this.panel && this.panel.contains(node);
    let start = inside(range.startContainer) ? this.#positionOf(range.startContainer, range.startOffset) : 0;
    let end = inside(range.endContainer) ? this.#positionOf(range.endContainer, range.endOffset) : text.length;
    while (start < end && /\s/.test(text[start])) start += 1;
    while (start < end && /\s/.test(text[end - 1])) end -= 1;
    return start < end ? { document: this.current, start, end } : null;
  }

  /** The position in the current document of a place in the DOM, `null` outside of its blocks. */
  #positionOf(node, offset) {
    const block = this.documents.get(this.current).blocks.find(({ box }) => box.contains(node));
    if (!block) return null;
    const before = document.createRange();
    before.setStart(block.box, 0);
    before.setEnd(node, offset);
    return block.start + before.toString().length;
  }

  /** Where a position is: the text node and the place in it. `ending` prefers the end of a node to the next's start. */
  #locate(id, position, ending) {
    const { blocks } = this.documents.get(id);
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle].start < position || (!ending && blocks[middle].start === position)) low = middle;
      else high = middle - 1;
    }
    let rest = position - blocks[low].start;
    const walker = document.createTreeWalker(blocks[low].box, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode();
    for (let next = node; next; next = walker.nextNode()) {
      node = next;
      if (rest < node.length || (ending && rest === node.length)) break;
      rest -= node.length;
    }
    return [node, Math.min(rest, node.length)];
  }

  #onTabKey(event) {
    const { ids } = this;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = ids[(ids.indexOf(this.current) + step + ids.length) % ids.length];
    this.activate(next);
    this.documents.get(next).tab.focus();
  }
}
