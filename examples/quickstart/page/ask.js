// Asking over HTTP, the way a viewer on any other site would.

const PATIENCE = 15_000;

/**
 * GETs JSON. `token` goes into the Authorization header; only a probe may get
 * one, or an info.json of 1.0 and 0.9. Returns `{ url, at, status, body, error }`
 * and never throws; `at` is where redirects led.
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
    return { url, at: response.url, status: response.status, body, error: body ? null : "The answer is not JSON." };
  } catch (failure) {
    const error = failure.name === "TimeoutError" ? "No answer in time." : "No answer (network or CORS).";
    return { url, status: 0, body: null, error };
  }
}
