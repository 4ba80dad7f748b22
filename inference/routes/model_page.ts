import { Hono } from "hono";
import { html } from "hono/html";
import { etag } from "hono/etag";
import type { ModelManifest } from "../../shared/manifest.ts";
import { percent } from "../../shared/percent.ts";
import type { ModelHost } from "../models/model_host.ts";
import style from "../web/model.css" with { type: "text" };

type Html = ReturnType<typeof html>;

/** Text and style of this service, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * `GET /models/{model}`, `GET /models/{model}/versions/{version}`: what a loaded version is for, how
 * well it does and how it was made. Whoever reaches the service may read it, like the page at `/`.
 */
export function modelPageRoutes({ host }: { host: ModelHost }): Hono {
  const routes = new Hono();
  const headers = { "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" };
  for (const [path, root] of [["", "../"], ["/versions/:version", "../../../"]] as const) {
    routes.get(`/models/:model${path}`, (c) => {
      const { manifest } = host.find(c.req.param("model"), c.req.param("version"));
      const versions = host.list().find(({ name }) => name === manifest.name)?.versions ?? [];
      return c.html(page(manifest, versions, root), 200, headers);
    });
  }
  routes.get(
    "/page/model.css",
    etag(),
    (c) => c.body(style, 200, { "Content-Type": "text/css; charset=utf-8" }),
  );
  return routes;
}

function page(manifest: ModelManifest, versions: readonly string[], root: string) {
  const { name, version, createdAt, card = {}, gate } = manifest;
  const others = versions.filter((other) => other !== version);
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${name} ${version}: topfive</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="${root}page/page.css">
        <link rel="stylesheet" href="${root}page/model.css">
      </head>
      <body>
        <header>
          <h1>${name}</h1>
          <p>Version ${version}, made ${createdAt.slice(0, 10)}.
            <a href="${root}">Ask it about an image</a></p>
        </header>
        <main class="card">
          ${paragraph("Intended use", card.intendedUse)}
          ${paragraph("Not for", card.outOfScope)}
          ${list("Known weaknesses", card.weaknesses ?? [])}
          ${accuracy(manifest)}
          ${confusions(manifest)}
          ${data(manifest)}
          ${gate ? decision(name, gate, root) : ""}
          ${lineage(manifest)}
          ${paragraph("Contact", card.contact)}
          ${paragraph("Licence", card.licence)}
          ${others.length === 0 ? "" : section(
            "Other versions that answer here",
            html`<ul>${
              others.map((other) =>
                html`<li><a href="${root}models/${name}/versions/${other}">${other}</a></li>`
              )
            }</ul>`,
          )}
        </main>
      </body>
    </html>
  `;
}

function section(title: string, content: Html): Html {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

function paragraph(title: string, text: string | undefined): Html | "" {
  if (text === undefined) return "";
  return section(title, html`${text.split(/\n\s*\n/).map((part) => html`<p>${part}</p>`)}`);
}

function list(title: string, items: readonly string[]): Html | "" {
  if (items.length === 0) return "";
  return section(title, html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`);
}

function facts(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl>${
    entries.map(([key, value]) =>
      html`
        <dt>${key}</dt>
        <dd>${value}</dd>
      `
    )
  }</dl>`;
}

function accuracy({ metrics, labels }: ModelManifest): Html {
  if (metrics === undefined) {
    return section("Accuracy", html`<p>Nobody measured it before it was published.</p>`);
  }
  const { split, images, top1Error, top1Interval, top5Error, top5Interval, classes } = metrics;
  const measured = (classes ?? []).flatMap((entry, i) =>
    entry ? [{ label: labels[i]!, ...entry }] : []
  ).sort((a, b) => b.top1Error - a.top1Error || b.images - a.images);
  const row = ({ label, images, top1Error, interval }: typeof measured[number]) =>
    html`
      <tr>
        <th scope="row">${label}</th>
        <td class="number">${images}</td>
        <td class="number">${percent(1 - top1Error, 1)}</td>
        <td class="number">${between(interval)}</td>
        <td>${bar(1 - top1Error, interval)}</td>
      </tr>
    `;
  return section(
    "Accuracy",
    html`<p>Measured on ${images} images of the ${split} split, which it was not trained on.</p>
    ${
      facts([
        ["Best guess right", `${percent(1 - top1Error, 1)}${withInterval(top1Interval)}`],
        ...(labels.length > 5
          ? [
            [
              "One of five right",
              `${percent(1 - top5Error, 1)}${withInterval(top5Interval)}`,
            ] as const,
          ]
          : []),
      ])
    }
    ${
      measured.length === 0 ? "" : html`
        <div class="wide" tabindex="0" role="region"
          aria-label="Accuracy by class">
          <table>
            <thead>
              <tr>
                <th scope="col">Class, the worst first</th>
                <th scope="col" class="number">Images</th>
                <th scope="col" class="number">Right</th>
                <th scope="col" class="number">At 95 %</th>
                <th scope="col">0 to 100 %</th>
              </tr>
            </thead>
            <tbody>${measured.map(row)}</tbody>
          </table>
        </div>
      `
    }`,
  );
}

/** The interval as a bar and the value as a mark; the numbers stand beside it. */
function bar(value: number, interval: readonly [number, number]): Html {
  const [low, high] = [100 * (1 - interval[1]), 100 * (1 - interval[0])];
  return html`
    <svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none"
      aria-hidden="true">
      <rect class="track" x="0" y="4" width="100" height="2"></rect>
      <rect class="range" x="${low}" y="3" width="${Math.max(0.5, high - low)}" height="4"></rect>
      <rect class="value" x="${Math.min(99, 100 * value)}" y="1" width="1" height="8"></rect>
    </svg>
  `;
}

function confusions({ metrics }: ModelManifest): Html | "" {
  const shown = metrics?.confusions ?? [];
  if (shown.length === 0) return "";
  return section(
    "What it takes for what",
    html`<ul>${
      shown.map(({ label, answer, images }) =>
        html`<li>${label} for ${answer}: ${images} ${images === 1 ? "image" : "images"}</li>`
      )
    }</ul>`,
  );
}

function data(
  { card, provenance: { images, contentFingerprint, dataFingerprint } }: ModelManifest,
) {
  const counts = images &&
    `${images.train} training, ${images.validation} validation and ${images.test} test images`;
  return section(
    "Data",
    html`${card?.data ? card.data.split(/\n\s*\n/).map((part) => html`<p>${part}</p>`) : ""}
    ${
      facts([
        ...(counts ? [["Images", counts] as const] : []),
        ...(contentFingerprint ? [["Fingerprint of the images", contentFingerprint] as const] : []),
        ["Fingerprint of the records", dataFingerprint],
      ])
    }`,
  );
}

function decision(name: string, gate: NonNullable<ModelManifest["gate"]>, root: string): Html {
  const { promote, champion, run, reasons } = gate;
  return section(
    "What the gate decided",
    html`
      <p><strong class="${promote ? "" : "refused"}">${promote ? "Passed" : "Refused"}</strong>
            ${champion ? `beside ${champion}` : "with no champion yet"},
            in <a href="${root}models/${name}/runs/${run}">run ${run}</a>.</p>
      <ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
    `,
  );
}

function lineage({ provenance, weights, preprocess, input }: ModelManifest): Html {
  const { model, codeVersion, seed, adapter, parent, config } = provenance;
  const [, channels, height, width] = input.shape;
  const settings = Object.entries(config).map(([key, value]) =>
    `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`
  ).join(", ");
  return section(
    "How it was made",
    facts([
      ["Network", `${model}, ${(weights.byteLength / 1e6).toFixed(1)} MB`],
      ["Input", `${channels} x ${height} x ${width}, sides resized to ${preprocess.side}`],
      ["Began from", parent ?? "random weights"],
      ["Code", `topfive ${codeVersion}, seed ${seed}, on ${adapter}`],
      ["Weights", `sha256 ${weights.sha256}`],
      ...(settings === "" ? [] : [["Settings", settings] as const]),
    ]),
  );
}

function withInterval(interval: readonly [number, number] | undefined): string {
  return interval ? ` (${between(interval)} at 95 %)` : "";
}

/** Of an error's interval, that of being right. */
function between([low, high]: readonly [number, number]): string {
  return `${percent(1 - high, 1)} to ${percent(1 - low, 1)}`;
}
