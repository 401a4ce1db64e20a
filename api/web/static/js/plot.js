/** Small plots as inline SVG. The table beside them has the same figures, so that they are hidden from who listens. */

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 860;
const ROW = 22;
const NAME = 190;
const HEIGHT = 220;
const MOST_BARS = 15;

function shape(tag, attributes, text = "") {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}

function canvas(height, shapes) {
  const box = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, class: "plot", "aria-hidden": "true" });
  box.append(...shapes);
  return box;
}

const short = (text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text);

/** Bars from left to right, the first ones of `points`: `{name, value, shown}`. */
export function bars(points) {
  const seen = points.slice(0, MOST_BARS);
  const most = Math.max(...seen.map(({ value }) => value), 0) || 1;
  const shapes = seen.flatMap(({ name, value, shown }, index) => {
    const y = index * ROW + 4;
    const width = Math.max((value / most) * (WIDTH - NAME - 80), 1);
    return [
      shape("text", { x: NAME - 8, y: y + 12, "text-anchor": "end" }, short(name)),
      shape("rect", { x: NAME, y, width, height: ROW - 8, rx: 2, class: "bar" }),
      shape("text", { x: NAME + width + 6, y: y + 12, class: "value" }, shown),
    ];
  });
  return canvas(seen.length * ROW + 8, shapes);
}

/** A line through `points` in their order; `top` is the value at the upper edge. */
export function line(points, top) {
  const left = 46;
  const bottom = HEIGHT - 26;
  const x = (index) => left + (points.length < 2 ? 0 : (index / (points.length - 1)) * (WIDTH - left - 30));
  const y = (value) => bottom - (value / (top || 1)) * (bottom - 16);
  const every = Math.ceil(points.length / 10);
  const grid = [0, 0.5, 1].flatMap((share) => [
    shape("line", { x1: left, x2: WIDTH - 20, y1: y(share * top), y2: y(share * top), class: "grid" }),
    shape("text", { x: left - 6, y: y(share * top) + 4, "text-anchor": "end" }, top === 1 ? `${share * 100} %` : String(share * top)),
  ]);
  const names = points.flatMap(({ name }, index) => (index % every ? [] : [shape("text", { x: x(index), y: HEIGHT - 6, "text-anchor": "middle" }, name.slice(5))]));
  const path = points.map(({ value }, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const dots = points.map(({ value }, index) => shape("circle", { cx: x(index), cy: y(value), r: 3, class: "bar" }));
  return canvas(HEIGHT, [...grid, shape("polyline", { points: path, class: "line" }), ...dots, ...names]);
}
