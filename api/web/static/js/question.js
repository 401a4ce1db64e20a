/** A dialog that is shown for one question after the other. */

const standing = new WeakMap(); // dialog to what ends its question

/**
 * Show a dialog for one question: `{answer, end, signal}`. `end(given)` closes the dialog and resolves `answer` at once;
 * a dialog that the browser closes gives `null`, and so does one that is asked the next question. `signal` ends the
 * question's own listeners.
 *
 * The browser tells of a close in a later task, and a key press may come before: then the dialog stands open with the
 * next question, which such a word must not end.
 */
export function question(dialog) {
  standing.get(dialog)?.(null);
  const over = new AbortController();
  const { signal } = over;
  let end;
  const answer = new Promise((resolve) => {
    end = (given) => {
      if (signal.aborted) return;
      over.abort();
      standing.delete(dialog);
      dialog.close();
      resolve(given);
    };
  });
  standing.set(dialog, end);
  dialog.addEventListener("close", () => dialog.open || end(null), { signal });
  dialog.querySelector("[data-cancel]").addEventListener("click", () => end(null), { signal });
  dialog.showModal();
  return { answer, end, signal };
}
