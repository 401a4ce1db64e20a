/** The final codes in another order, by drag. By keys and buttons it goes one place at a time. */

/** Let the lines of `list` be dragged; `onDrop(from, to)` gets places that count from 0. */
export function draggable(list, onDrop) {
  let dragged = null;
  const lines = () => [...list.querySelectorAll(".line")];
  const clear = () => lines().forEach((line) => delete line.dataset.drop);

  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".line");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.code);
    dragged.dataset.dragged = "";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest?.(".line");
    if (!dragged || !over) return;
    event.preventDefault();
    clear();
    if (over !== dragged) over.dataset.drop = lines().indexOf(over) > lines().indexOf(dragged) ? "after" : "before";
  });
  list.addEventListener("drop", (event) => {
    const over = event.target.closest?.(".line");
    if (!dragged || !over) return;
    event.preventDefault();
    const all = lines();
    if (over !== dragged) onDrop(all.indexOf(dragged), all.indexOf(over));
  });
  list.addEventListener("dragend", () => {
    if (dragged) delete dragged.dataset.dragged;
    dragged = null;
    clear();
  });
}

/** `codes` with the one at place `from` moved to place `to`. */
export function moved(codes, from, to) {
  const order = codes.map(({ system, code }) => ({ system, code }));
  order.splice(to, 0, ...order.splice(from, 1));
  return order;
}
