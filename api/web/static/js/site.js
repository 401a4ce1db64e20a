/** What every page starts: the keys, who is signed in, and signing in again without losing the page. */

import { beginSession, onSignedOut, session } from "./api.js";
import { byId } from "./dom.js";
import { startKeys } from "./keys.js";

let asking = null;
let user = null;
let known = null;

/** The name of who works here. */
export const me = () => user?.name ?? "local";

function showUser(who) {
  user = who;
  byId("user").textContent = who && who.name !== "local" ? who.name : "";
}

/** Ask for name and password; resolves when somebody is signed in. Calls that wait at the same time share the dialog. */
function askToSignIn() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("sign-in");
    const form = dialog.querySelector("form");
    const problem = dialog.querySelector("[data-problem]");
    const stay = (event) => event.preventDefault(); // closing it would leave the work unsaved
    const send = async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      try {
        const who = await beginSession(data.get("name"), data.get("password"));
        form.removeEventListener("submit", send);
        dialog.removeEventListener("cancel", stay);
        form.reset();
        problem.hidden = true;
        dialog.close();
        showUser(who ?? (await session()));
        asking = null;
        resolve();
      } catch (error) {
        problem.textContent = error.problem?.detail ?? String(error);
        problem.hidden = false;
        form.elements.password.select();
      }
    };
    form.addEventListener("submit", send);
    dialog.addEventListener("cancel", stay);
    dialog.showModal();
  });
  return asking;
}

/** Resolves when it is known who works here. */
export const userKnown = () => known;

/** Start the page, and find out who is signed in. */
export function startSite() {
  startKeys();
  onSignedOut(askToSignIn);
  known = session().then(showUser);
  return known;
}
