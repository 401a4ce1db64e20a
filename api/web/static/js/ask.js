/** Small dialogs: a question with fields, and what is said without asking. */

import { byId, element } from "./dom.js";
import { question } from "./question.js";

/** Say something to who listens, without moving the focus. */
export function say(text) {
  byId("said").textContent = text;
}

/** Show a message for a while; an alert for who listens. */
export function toast(title, detail = "") {
  const box = element("div", "", "toast");
  const close = element("button", "✕", "quiet");
  close.type = "button";
  close.setAttribute("aria-label", "Close the message");
  close.addEventListener("click", () => box.remove());
  const text = element("p");
  text.append(element("strong", title), detail ? ` ${detail}` : "");
  box.append(text, close);
  byId("toasts").replaceChildren(box);
  setTimeout(() => box.remove(), 12000);
}

/**
 * Ask in a dialog. `fields` is a list of elements; `read()` gives the answer, or a string that says what is wrong as
 * `{problem}`; `onKey` hears the keys meanwhile. Resolves to the answer, or `null` when it was cancelled. The focus goes
 * back where it was.
 */
export function ask({ title, about = "", fields = [], ok = "OK", read = () => true, focus = null, onKey = null }) {
  const dialog = byId("ask");
  const problem = dialog.querySelector("[data-problem]");
  const { answer, end, signal } = question(dialog);
  byId("ask-title").textContent = title;
  dialog.querySelector("[data-about]").textContent = about;
  dialog.querySelector("[data-about]").hidden = !about;
  dialog.querySelector("[data-fields]").replaceChildren(...fields);
  dialog.querySelector("[data-ok]").textContent = ok;
  problem.hidden = true;
  const submit = (event) => {
    event.preventDefault();
    const found = read();
    if (!found?.problem) return end(found);
    problem.textContent = found.problem;
    problem.hidden = false;
    return undefined;
  };
  dialog.querySelector("form").addEventListener("submit", submit, { signal });
  if (onKey) dialog.addEventListener("keydown", onKey, { signal });
  (focus ?? dialog.querySelector("[data-fields] :is(input, textarea, select)") ?? dialog.querySelector("[data-ok]")).focus();
  return answer;
}

/** Ask for a reason: a list by key, or text. `reasons` are `[key, text]`. */
export function askReason({ title, about, ok, reasons, label = "Reason" }) {
  const list = element("div", "", "reasons");
  const field = element("label", label, "field");
  const text = element("input");
  text.maxLength = 2000;
  text.autocomplete = "off";
  field.append(text);
  const choose = (reason) => {
    text.value = reason;
    byId("ask").querySelector("form").requestSubmit();
  };
  for (const [key, reason] of reasons) {
    const button = element("button", "", "reason-choice");
    button.type = "button";
    button.append(element("kbd", key), ` ${reason}`);
    button.addEventListener("click", () => choose(reason));
    list.append(button);
  }
  const onKey = (event) => {
    const found = reasons.find(([key]) => key === event.key);
    if (!found || event.ctrlKey || event.altKey || event.metaKey || (event.target === text && text.value)) return;
    event.preventDefault();
    choose(found[1]);
  };
  const read = () => text.value.trim() || { problem: "Give a reason: press its key, or write one." };
  return ask({ title, about, ok, fields: [list, field], read, onKey, focus: reasons.length ? list.firstChild : text });
}
