/** The calls to the service. */

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
};

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ProblemError(OFFLINE);
  }
  if (response.ok) return response.json();
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  const problem = isProblem ? await response.json() : { ...OFFLINE, title: `The service answered ${response.status}` };
  problem.retryAfter = Number(response.headers.get("retry-after")) || 0;
  throw new ProblemError(problem);
}

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** The result for a note record; waits while the service is starting, and says so through `onWait`. */
export async function suggest(record, signal, onWait) {
  for (;;) {
    try {
      return await call("/v1/suggestions", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(record),
        signal,
      });
    } catch (error) {
      if (error.problem?.code !== "not-ready") throw error;
      onWait(error.problem.detail);
      await wait(error.problem.retryAfter || 1);
      signal.throwIfAborted();
    }
  }
}

export function searchCodes(text, signal) {
  return call(`/v1/codes?${new URLSearchParams({ q: text, limit: "12" })}`, { signal });
}

export function showCode(system, code) {
  return call(`/v1/codes/${encodeURIComponent(system)}/${encodeURIComponent(code)}`);
}
