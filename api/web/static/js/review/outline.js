/** The sections of the note as a list of links into it. */

import { outlineOf } from "../api.js";
import { byId, element } from "../dom.js";

/** A heading in capitals as a heading of a list; an abbreviation stays. */
const shown = (title) => (title === title.toUpperCase() && title.length > 4 ? title[0] + title.slice(1).toLowerCase() : title);

/** Show the outline of the document that is shown; it stays away where there is none. */
export async function startOutline({ note }, pane) {
  const box = byId("outline");
  const list = box.querySelector("ul");
  const asked = note.documents ? { documents: note.documents.map(({ id, text }) => ({ id, text })) } : { text: note.text };
  let sections = [];
  try {
    sections = await outlineOf(asked);
  } catch (error) {
    if (!error.problem) throw error; // a note can be read without its outline
  }
  const show = () => {
    const here = sections.filter((section) => section.document === undefined || section.document === pane.view.current);
    const lines = here.map((section) => {
      const button = element("button", shown(section.title));
      button.type = "button";
      button.addEventListener("click", () => pane.view.toTop(pane.span(section)));
      const line = element("li");
      line.append(button);
      return line;
    });
    list.replaceChildren(...lines);
    box.hidden = here.length < 2;
  };
  pane.view.onActivate = show;
  show();
}
