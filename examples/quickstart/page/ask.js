// Asking over HTTP, the way a viewer on any other site would.

const PATIENCE = 15_000;

/**
 * GETs JSON. `token` goes into the Authorization header; only a probe may get
 * one. Returns `{ url, status, body, error }` and never throws.
 */
export async function askJson(url, token) {
  try {
    const response = await fetch(url, {
      headers: { Accept: "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
      // This page shares its origin with the services, most viewers do not.
      // Leaving cookies out shows what those see: without a token, nobody.
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    const body = await response.json().catch(() => null);
    return { url, status: response.status, body, error: body ? null : "The answer is not JSON." };
  } catch (failure) {
    const error = failure.name === "TimeoutError" ? "No answer in time." : "No answer (network or CORS).";
    return { url, status: 0, body: null, error };
  }
}
