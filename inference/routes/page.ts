import { createHash } from "node:crypto";
import { Hono } from "hono";
import { html as escaped } from "hono/html";
import type { ModelManifest } from "../../shared/manifest.ts";
import type { ModelHost } from "../models/model_host.ts";
import { ProblemError } from "../problem.ts";
import style from "../web/page.css" with { type: "text" };
import template from "../web/page.html" with { type: "text" };
import script from "../web/page.js" with { type: "text" };

/** Nothing from outside, no inline code but the page's own, images only from the visitor's disk. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashSource(script)}`,
  `style-src ${hashSource(style)}`,
  "img-src blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = { "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" };

/** `GET /`: one page that asks for nothing but its own answer to an image. */
export function pageRoute({ host }: { host: ModelHost }): Hono {
  return new Hono().get("/", (c) => {
    const manifest = currentManifest(host);
    const model = manifest === undefined
      ? "The model is being loaded; reload this page in a moment."
      : describeModel(manifest);
    return c.html(fill(String(escaped`${model}`)), 200, HEADERS);
  });
}

function currentManifest(host: ModelHost): ModelManifest | undefined {
  try {
    return host.find().manifest;
  } catch (error) {
    if (error instanceof ProblemError) return undefined;
    throw error;
  }
}

/** Which model answers and how often it errs, measured on images that it was not trained on. */
function describeModel({ name, version, metrics, output }: ModelManifest): string {
  if (metrics === undefined) return `${name} ${version}, ${output.classes} classes.`;
  const top5 = output.classes > 5 ? `, all five wrong ${percent(metrics.top5Error)}` : "";
  return `${name} ${version}, ${output.classes} classes. Measured on ${metrics.images} ` +
    `${metrics.split} images: best guess wrong ${percent(metrics.top1Error)}${top5}.`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** The template's three empty elements filled; `model` is HTML. */
function fill(model: string): string {
  // Functions as replacements: a `$&` in a value stays what it is.
  return template
    .replace("<style></style>", () => `<style>${style}</style>`)
    .replace("<script></script>", () => `<script>${script}</script>`)
    .replace('<p id="model"></p>', () => `<p id="model">${model}</p>`);
}

/** CSP Level 3 §2.3.1: the hash of exactly what stands between the tags. */
function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
