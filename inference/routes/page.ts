import { Hono } from "hono";
import { etag } from "hono/etag";
import { html as escaped } from "hono/html";
import type { ModelManifest } from "../../shared/manifest.ts";
import { percent } from "../../shared/percent.ts";
import type { ModelHost } from "../models/model_host.ts";
import { ProblemError } from "../problem.ts";
import ask from "../web/ask.js" with { type: "text" };
import feedbackScript from "../web/feedback.js" with { type: "text" };
import history from "../web/history.js" with { type: "text" };
import imageSources from "../web/image_sources.js" with { type: "text" };
import style from "../web/page.css" with { type: "text" };
import template from "../web/page.html" with { type: "text" };
import page from "../web/page.js" with { type: "text" };
import picture from "../web/picture.js" with { type: "text" };
import results from "../web/results.js" with { type: "text" };

/** Nothing from outside, no inline code, images only from the visitor's disk and the answer. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SCRIPTS: Readonly<Record<string, string>> = {
  "ask.js": ask,
  "feedback.js": feedbackScript,
  "history.js": history,
  "image_sources.js": imageSources,
  "page.js": page,
  "picture.js": picture,
  "results.js": results,
};

/** What the page shows. */
export interface PageOptions {
  readonly host: ModelHost;
  /** Whether the service takes corrections. */
  readonly feedback: boolean;
}

/** `GET /`: one page that asks for nothing but its own files and its own answer to an image. */
export function pageRoute({ host, feedback }: PageOptions): Hono {
  const routes = new Hono();
  const html = feedback ? template.replace("<body>", '<body data-feedback="on">') : template;
  routes.get("/", (c) => {
    // A function as replacement: a `$&` in a manifest stays what it is.
    const model = String(escaped`<p id="model">${describeCurrent(host)}</p>`) + linkToRun(host);
    const headers = { "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" };
    return c.html(
      html.replace('<p id="model"></p>', () => model).replace(
        '<p id="about"></p>',
        () => aboutCurrent(host),
      ),
      200,
      headers,
    );
  });
  // The page asks again when another version than the one it was loaded with has answered.
  routes.get("/page/model", (c) => c.text(describeCurrent(host)));
  const asset = (name: string, text: string, type: string) =>
    routes.get(
      `/page/${name}`,
      etag(),
      (c) => c.body(text, 200, { "Content-Type": type, "Cache-Control": "no-cache" }),
    );
  asset("page.css", style, "text/css; charset=utf-8");
  for (const [name, text] of Object.entries(SCRIPTS)) {
    asset(name, text, "text/javascript; charset=utf-8");
  }
  return routes;
}

/** Where a retraining made the model: how that went. */
function linkToRun(host: ModelHost): string {
  const [first] = host.list();
  const manifest = first?.current === undefined ? undefined : host.find(first.name).manifest;
  if (manifest?.gate === undefined) return "";
  const href = `/models/${manifest.name}/runs/${manifest.gate.run}`;
  return String(escaped`<p><a href="${href}">How it was trained and why it was promoted</a></p>`);
}

function describeCurrent(host: ModelHost): string {
  try {
    return describeModel(host.find().manifest);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return "The model is being loaded; reload this page in a moment.";
  }
}

/** A link to what is known of the model; its address stays when another version is promoted. */
function aboutCurrent(host: ModelHost): string {
  const [model] = host.list();
  if (model?.current === undefined) return "";
  return String(escaped`<p id="about"><a href="models/${model.name}">About this model</a></p>`);
}

/** Which model answers and how often it is right, measured on images it was not trained on. */
function describeModel({ name, version, metrics, output }: ModelManifest): string {
  if (metrics === undefined) return `${name} ${version}, ${output.classes} classes.`;
  const top5 = output.classes > 5 ? `, one of its five ${percent(1 - metrics.top5Error, 1)}` : "";
  return `${name} ${version}, ${output.classes} classes. Measured on ${metrics.images} ` +
    `${metrics.split} images: best guess right ${percent(1 - metrics.top1Error, 1)}${top5}.`;
}
