/** Small helpers over the DOM. Text is only ever set as text. */

export const byId = (id) => document.getElementById(id);

/** A copy of the template's one element. */
export function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** The part of `root` that the template names with `data-<name>`. */
export const part = (root, name) => root.querySelector(`[data-${name}]`);

/** An element with text inside. */
export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
