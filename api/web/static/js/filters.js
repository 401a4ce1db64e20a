/** The worklist's filters, which the address carries from page to page. */

export const FILTERS = ["setting", "date_from", "date_to", "specialty", "confidence"];

/** The filters that are set. */
export function filters() {
  const parameters = new URLSearchParams(location.search);
  return Object.fromEntries(FILTERS.flatMap((name) => (parameters.get(name) ? [[name, parameters.get(name)]] : [])));
}
