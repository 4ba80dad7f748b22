/** Where images are sent; relative, so that a proxy may put the service under any path. */
export const service = new URL("v1/classify", location.href);
const feedback = new URL("v1/feedback", location.href);

/** What a person can do about the problems (RFC 9457) that an image may meet. */
const WORDS = {
  "unsupported-image": "This file is not an image that can be read here. Try a JPEG or a PNG.",
  "corrupt-image":
    "This image is damaged or cut short. Save it again from a program that opens it.",
  "image-too-large": "This image has too many pixels for this server. Try a smaller one.",
  "body-too-large": "This file is too large for this server. Try a smaller one.",
  "empty-body": "This file is empty.",
  "queue-full": "The server is busy. Try again in a moment.",
  "unknown-label": "This model does not know that label. Choose one of its list.",
  "too-many-requests": "That was too often. Try again in a minute.",
  "key-scope": "This API key is not for that.",
  "key-missing": "This server asks for an API key.",
  "key-unknown": "This API key is not known here. Try another.",
};

/** An error whose message is meant for the person at the page. */
export class AskError extends Error {
  /** @param {string} message @param {boolean} needsKey */
  constructor(message, needsKey = false) {
    super(message);
    this.needsKey = needsKey;
  }
}

/** Kept in memory alone: a key in the browser's storage would outlive the visit. */
let apiKey = "";

export function setApiKey(key) {
  apiKey = key;
}

/**
 * The service's answer to an image, with a heat map where `explain` asks for it.
 *
 * @throws {AskError} in words for a person
 * @throws {DOMException} AbortError, when `signal` ends it
 */
export function ask(image, { explain = false, signal }) {
  const query = explain ? "?top=5&explain=1" : "?top=5";
  return request(service + query, { method: "POST", body: image, signal });
}

/** The labels that a model knows; throws as `ask` does. */
export function knownLabels(model, signal) {
  return request(`${feedback}?${new URLSearchParams({ model })}`, { signal });
}

/** Sends an image with the label that a person says is right; throws as `ask` does. */
export function correct(image, { label, model, signal }) {
  const query = new URLSearchParams({ label, model });
  return request(`${feedback}?${query}`, { method: "POST", body: image, signal });
}

async function request(address, { body, signal, ...init }) {
  const headers = { Accept: "application/json" };
  if (apiKey) headers.Authorization = `Bearer ${apiKey}`;
  let response;
  try {
    response = await fetch(address, { ...init, body, headers, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    // A server may also cut the connection on a body that it refuses.
    const refusal = body ? `, or it does not take files of ${(body.size / 1e6).toFixed(1)} MB` : "";
    throw new AskError(`The server could not be reached${refusal}. Try again.`);
  }
  const answer = await response.json().catch(() => ({}));
  signal.throwIfAborted();
  if (response.ok) return answer;
  const words = WORDS[answer.type?.split("/").at(-1)];
  throw new AskError(
    words ?? answer.detail ?? `The server answered ${response.status}.`,
    response.status === 401,
  );
}
