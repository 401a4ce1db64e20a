/** What a key press does, the keys beside the buttons, and the dialog that shows and changes them. */

import { byId, element } from "./dom.js";
import { actionOf, change, keyOf, keymap, reset, shown } from "./keymap.js";

const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]";
const PLACES = { everywhere: "Everywhere", worklist: "Worklist", review: "Review" };
const CONTROLS = "a, button, summary, [role=tab], .note-text";
const NAMED = /^(Enter| |Arrow)/;
let waiting = null;

/** Write the keys into every `[data-key="place.action"]`. */
export function labelKeys(root = document) {
  const map = keymap();
  for (const box of root.querySelectorAll("[data-key]")) {
    const [place, action] = box.dataset.key.split(".");
    box.textContent = shown(map[place][action].keys[0]);
  }
}

/** An element that shows the key of an action. */
export function keyHint(place, action) {
  const hint = element("kbd", shown(keymap()[place][action].keys[0]));
  hint.dataset.key = `${place}.${action}`;
  return hint;
}

/**
 * Listen for the keys of a place. Silent while somebody types or a dialog is open; Enter, Space and arrows are left
 * to a control or a text that has the focus, unless `ours(event)` says that it means the page.
 * An action gets the place of the key among its keys.
 */
export function listen(place, actions, ours = () => false) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.(TYPING)) return;
    if (NAMED.test(event.key) && !event.altKey && event.target.closest?.(CONTROLS) && !ours(event)) return;
    const found = actionOf(place, keyOf(event));
    if (!actions[found?.action]) return;
    event.preventDefault();
    actions[found.action](found.index);
  });
}

function row(place, action, { keys, label, fixed }) {
  const line = element("li");
  if (fixed) {
    line.append(element("span", label), element("kbd", `${shown(keys[0])} – ${shown(keys.at(-1))}`));
    return line;
  }
  const button = element("button", "", "key-change");
  button.type = "button";
  button.dataset.action = `${place}.${action}`;
  keys.forEach((key, index) => button.append(index ? " " : "", element("kbd", shown(key))));
  button.setAttribute("aria-label", `${label}: ${keys.map(shown).join(" or ")}. Change`);
  button.addEventListener("click", () => {
    waiting = { place, action, button };
    button.textContent = "press a key";
  });
  line.append(element("span", label), button);
  return line;
}

function fill() {
  const list = byId("keys").querySelector("[data-list]");
  waiting = null;
  const parts = Object.entries(keymap()).map(([place, actions]) => {
    const part = element("section", "", "key-place");
    const rows = element("ul");
    rows.append(...Object.entries(actions).map(([action, one]) => row(place, action, one)));
    part.append(element("h3", PLACES[place] ?? place), rows);
    return part;
  });
  list.replaceChildren(...parts);
}

function onKey(event) {
  if (!waiting || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  const { place, action } = waiting;
  const key = keyOf(event);
  const taken = event.key === "Escape" ? null : change(place, action, key);
  const said = byId("keys").querySelector("[data-said]");
  if (taken === null) said.textContent = event.key === "Escape" ? "" : `${shown(key)} is set.`;
  else said.textContent = `${shown(key)} is taken: ${taken}. Nothing was changed.`;
  fill();
  labelKeys();
  byId("keys").querySelector(`[data-action="${place}.${action}"]`).focus();
}

export function showKeys() {
  fill();
  byId("keys").querySelector("[data-said]").textContent = "";
  byId("keys").showModal();
}

/** Make the dialog work and show the keys on the page. */
export function startKeys() {
  labelKeys();
  byId("keys").addEventListener("keydown", onKey);
  byId("keys").querySelector("[data-reset]").addEventListener("click", () => {
    reset();
    fill();
    labelKeys();
  });
  for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", showKeys);
}
