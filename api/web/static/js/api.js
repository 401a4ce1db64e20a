/** The calls to the service: the public API, nothing else. */

/** An error that the service explained with a problem document (RFC 9457). */
export class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const OFFLINE = {
  title: "The service does not answer",
  detail: "Check that codeassist is running, then try again.",
  code: "unreachable",
  status: 0,
};

let signIn = null;

/** What to do when nobody is signed in: `handler` resolves when somebody is, and the call is made again. */
export function onSignedOut(handler) {
  signIn = handler;
}

async function once(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ProblemError(OFFLINE);
  }
  if (response.status === 204) return null;
  if (response.ok) return response.json();
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  const fallback = { ...OFFLINE, title: `The service answered ${response.status}`, status: response.status };
  const problem = isProblem ? await response.json() : fallback;
  problem.retryAfter = Number(response.headers.get("retry-after")) || 0;
  throw new ProblemError(problem);
}

async function call(path, options) {
  for (;;) {
    try {
      return await once(path, options);
    } catch (error) {
      if (error.problem?.status !== 401 || !signIn) throw error;
      await signIn();
    }
  }
}

const jsonOptions = (record, more) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(record),
  ...more,
});

export const post = (path, record, more) => call(path, jsonOptions(record, more));

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** `post`, again and again while the service is starting; says so through `onWait`. */
async function postWhenReady(path, record, signal, onWait) {
  for (;;) {
    try {
      return await post(path, record, { signal });
    } catch (error) {
      if (error.problem?.code !== "not-ready") throw error;
      onWait(error.problem.detail);
      await wait(error.problem.retryAfter || 1);
      signal?.throwIfAborted();
    }
  }
}

/** The result for a note record; waits while the service is starting, and says so through `onWait`. */
export const suggest = (record, signal, onWait) => postWhenReady("/v1/suggestions", record, signal, onWait);

/** Sends a note to review; gives the review. */
export const createReview = (record, signal, onWait) => postWhenReady("/v1/reviews", record, signal, onWait);

export const searchCodes = (text, signal, more = {}) =>
  call(`/v1/codes?${new URLSearchParams({ q: text, limit: "12", ...more })}`, { signal });

export const showCode = (system, code, signal) =>
  call(`/v1/codes/${encodeURIComponent(system)}/${encodeURIComponent(code)}`, { signal });

export const outlineOf = (record) => post("/v1/sections", record);

/** One page of the worklist. */
export const listReviews = (parameters, signal) => call(`/v1/reviews?${new URLSearchParams(parameters)}`, { signal });

export const nextReview = (filters) => post("/v1/reviews:next", filters);
export const showReview = (number) => call(`/v1/reviews/${number}`);
export const openReview = (number, takeOver) => post(`/v1/reviews/${number}/open`, takeOver ? { take_over: true } : {});

/** A change to a review. It is finished even when the page is left meanwhile. */
export const changeReview = (number, action, record) =>
  post(`/v1/reviews/${number}/${action}`, record, { keepalive: true });

/** Who is signed in: `{name, …}`, or `null` where the service has no accounts or nobody is. */
export async function session() {
  try {
    return await once("/v1/session");
  } catch (error) {
    if (error instanceof ProblemError) return null;
    throw error;
  }
}

export const beginSession = (name, password) => once("/v1/session", jsonOptions({ name, password }));

/** The table of a report: `{columns, rows, own}`. */
export const readReport = (name, filters, signal) => call(`/v1/reports/${name}?${new URLSearchParams(filters)}`, { signal });

/** One page of second looks. */
export const listAudits = (parameters, signal) => call(`/v1/audits?${new URLSearchParams(parameters)}`, { signal });

export const nextAudit = (record) => post("/v1/audits:next", record);
export const showAudit = (number) => call(`/v1/audits/${number}`);
export const auditReasons = () => call("/v1/audits:reasons");
export const changeAudit = (number, action, record) =>
  post(`/v1/audits/${number}/${action}`, record, { keepalive: true });
