import { html } from "hono/html";
import type { Classification } from "../classifier.ts";

/** The answer to one of several images. */
export type Result =
  & { name?: string | undefined }
  & (Classification | {
    error: { type: string; title: string; status: number; detail: string };
  });

/** Lines for a terminal: percent, label; the image's name first where there are several. */
export function asText(results: readonly Result[]): string {
  return results.map((result) => {
    const lines = "error" in result
      ? [`error  ${result.error.detail}`]
      : result.predictions.map(({ label, probability }) =>
        `${(100 * probability).toFixed(1).padStart(5)} %  ${label}`
      );
    return [...(results.length > 1 ? [`${result.name ?? "image"}:`] : []), ...lines, ""].join("\n");
  }).join("\n");
}

/** A page for a form that was sent without a script. */
export function asHtml(results: readonly Result[]) {
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <title>Answer</title>
      </head>
      <body>
    <h1>Answer</h1>
    ${results.map(sectionOf)}
      </body>
    </html>
  `;
}

function sectionOf(result: Result) {
  const name = result.name ? html`<h2>${result.name}</h2>` : "";
  if ("error" in result) return html`${name}<p>${result.error.detail}</p>`;
  const { model, version, predictions } = result;
  return html`${name}
<ol>${
    predictions.map(({ label, probability }) =>
      html`<li><meter value="${String(probability)}">${(100 * probability).toFixed(1)} %</meter>
${(100 * probability).toFixed(1)} % ${label}</li>`
    )
  }</ol>
<p>${model} ${version}</p>`;
}
