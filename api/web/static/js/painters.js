/**
 * Marks in the note: layers of spans, painted with the CSS Custom Highlight API, or with <mark> where there is none.
 *
 * A layer's name is a highlight's name and a class's name; css/evidence.css has both.
 */

export const LAYERS = [
  "tier-discarded",
  "tier-candidate",
  "tier-code",
  "tier-final",
  "status-negated",
  "status-possible",
  "status-hypothetical",
  "status-historical",
  "status-family",
  "cue",
  "selected",
];

class HighlightPainter {
  constructor(view) {
    this.view = view;
  }

  /** @param {Map<string, {document: string, start: number, end: number}[]>} layers */
  paint(layers) {
    LAYERS.forEach((name, priority) => {
      const highlight = new Highlight(...(layers.get(name) ?? []).map((span) => this.view.range(span)));
      highlight.priority = priority;
      CSS.highlights.set(name, highlight);
    });
  }
}

class MarkPainter {
  constructor(view) {
    this.view = view;
  }

  paint(layers) {
    for (const { id, blocks } of this.view.documents.values()) {
      const spans = [...layers].flatMap(([name, list]) =>
        list.filter((span) => span.document === id).map((span) => ({ ...span, name })),
      );
      for (const block of blocks) this.#paintBlock(block, spans);
    }
  }

  #paintBlock({ start, text, box }, spans) {
    const here = spans.filter((span) => span.start < start + text.length && span.end > start);
    const within = (position) => Math.min(Math.max(position - start, 0), text.length);
    const cuts = new Set([0, text.length]);
    for (const span of here) cuts.add(within(span.start)).add(within(span.end));
    const edges = [...cuts].sort((a, b) => a - b);
    const pieces = edges.slice(1).map((end, index) => {
      const begin = edges[index];
      const names = here.filter((s) => s.start <= start + begin && s.end >= start + end).map((s) => s.name);
      const node = document.createTextNode(text.slice(begin, end));
      if (names.length === 0) return node;
      const mark = document.createElement("mark");
      mark.className = [...new Set(names)].sort((a, b) => LAYERS.indexOf(a) - LAYERS.indexOf(b)).join(" ");
      mark.append(node);
      return mark;
    });
    box.replaceChildren(...pieces);
  }
}

export function painterFor(view) {
  const able = typeof Highlight === "function" && typeof CSS !== "undefined" && "highlights" in CSS;
  return able ? new HighlightPainter(view) : new MarkPainter(view);
}
