/**
 * The keys: what the service gives (api/keymap.toml and the site's own file), and over it what the user has changed,
 * which is kept in this browser. The one place that knows how a key is written.
 */

const KEPT = "codeassist.keys";
const shipped = JSON.parse(document.querySelector("meta[name=keymap]").content);

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // not ours, or the browser keeps nothing: the site's keys stand
  }
}

/** Place to action to `{keys, label}`, as they stand now. */
export function keymap() {
  const own = kept();
  const merged = {};
  for (const [place, actions] of Object.entries(shipped)) {
    merged[place] = {};
    for (const [action, row] of Object.entries(actions)) {
      merged[place][action] = { ...row, keys: own[`${place}.${action}`] ?? row.keys };
    }
  }
  return merged;
}

/** How an event's key is written: `a`, `A`, `Enter`, `Ctrl+z`, `Alt+ArrowUp`. Command counts as Ctrl. */
export function keyOf(event) {
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${event.key}`;
}

const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" };

/** A key as the page shows it. */
export function shown(key) {
  const parts = key.length > 1 && key.endsWith("+") ? [...key.slice(0, -2).split("+"), "+"] : key.split("+");
  const last = parts.pop() || "+";
  const isShifted = last.length === 1 && last !== last.toLowerCase();
  return [...parts, ...(isShifted ? ["Shift"] : []), SIGNS[last] ?? (last.length === 1 ? last.toUpperCase() : last)].filter(Boolean).join(" ");
}

/** What a key does in a place, or in every place: `{action, index}`, its place among the keys; `null` for nothing. */
export function actionOf(place, key) {
  const map = keymap();
  for (const where of [place, "everywhere"]) {
    const found = Object.entries(map[where] ?? {}).find(([, { keys }]) => keys.includes(key));
    if (found) return { action: found[0], index: found[1].keys.indexOf(key) };
  }
  return null;
}

/** The label of what has the key already, in a place where it would do two things; `null` when it is free. */
function takenBy(place, action, key) {
  const map = keymap();
  const together = place === "everywhere" ? Object.keys(map) : ["everywhere", place];
  for (const where of together) {
    for (const [name, row] of Object.entries(map[where])) {
      if (row.keys.includes(key) && !(where === place && name === action)) return row.label;
    }
  }
  return null;
}

/** Give an action a key of the user's. Gives the label of what has it already, and changes nothing then. */
export function change(place, action, key) {
  const taken = takenBy(place, action, key);
  if (taken === null) localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [`${place}.${action}`]: [key] }));
  return taken;
}

/** Back to the site's keys. */
export const reset = () => localStorage.removeItem(KEPT);
