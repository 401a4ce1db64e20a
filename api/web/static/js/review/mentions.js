/** Going through the marks of the note by keys. */

/** The mark after (`step` 1) or before (-1) the one where the coder is, in the document that is shown, round about. */
export function nextMention(cards, document, at, step) {
  const marks = cards
    .flatMap((card) => card.spans.map((span) => ({ card, span })))
    .filter(({ span }) => span.document === document)
    .sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  if (!marks.length) return null;
  const now = at ? marks.findIndex(({ card, span }) => card.key === at.key && span.start === at.start && span.end === at.end) : -1;
  if (now < 0) return step > 0 ? marks[0] : marks[marks.length - 1];
  return marks[(now + step + marks.length) % marks.length];
}
