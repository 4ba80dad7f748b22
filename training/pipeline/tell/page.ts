/** A run as a page: one file that asks nothing of the network and runs no script. */
import { percent } from "../../../shared/percent.ts";
import { formatDuration } from "../../progress.ts";
import type { Finding } from "../images/findings.ts";
import type { RunRecord, RunState } from "../run_record.ts";
import type { Outputs } from "../stage.ts";
import { Html, html } from "./html.ts";
import style from "./page.css" with { type: "text" };

export interface RunPage {
  readonly record: RunRecord;
  /** Of the stages that were finished. */
  readonly results: Partial<Outputs>;
  readonly findings: readonly Finding[];
}

const FILES_SHOWN = 50;

const HEADLINES: Readonly<Record<RunState, string>> = {
  working: "at work",
  failed: "failed; the next retraining goes on where it was",
  promoted: "promoted",
  refused: "refused; what answers is unchanged",
  "bad-data": "stopped by the images; what answers is unchanged",
  nothing: "nothing to do",
  abandoned: "given up",
};

export function renderPage({ record, results, findings }: RunPage): string {
  const { model, run, state, reasons, createdAt, endedAt, by, version, settings } = record;
  const tone = state === "promoted"
    ? "good"
    : state === "working" || state === "nothing"
    ? ""
    : "bad";
  const title = `${model}, run ${run}`;
  return "<!doctype html>\n" + html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
        <main>
    <h1>${title}: <span class="${tone}">${HEADLINES[state]}</span></h1>
    <p>Begun ${createdAt}${endedAt ? `, ended ${endedAt}` : ""}, by ${by}.${version
      ? ` Version ${version}.`
      : ""}</p>
    <p>On the service: <a href="../../${model}">the model that answers</a>,
      <a href="latest">the latest run</a>.</p>
    ${list("Why", reasons)}
    ${stageTable(record)}
    ${decision(results)}
    ${classTable(results)}
    ${imageTable(results)}
    ${findings.map(findingOf)}
    <h2>Settings</h2>
    <pre>${JSON.stringify(settings, null, 2)}</pre>
        </main>
      </body>
    </html>
  `.text;
}

function list(title: string, items: readonly string[]): Html {
  if (items.length === 0) return html``;
  return html`<h2>${title}</h2>
<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

function stageTable({ stages }: RunRecord): Html {
  const row = ({ name, state, seconds, attempts, text, startedAt }: RunRecord["stages"][number]) =>
    html`
      <tr>
        <td>${name}</td>
        <td class="${state === "failed" ? "bad" : ""}">${state}</td>
        <td>${startedAt.slice(0, 19).replace("T", " ")}</td>
        <td class="number">${seconds === null ? "" : formatDuration(seconds)}</td>
        <td class="number">${attempts}</td>
        <td>${text}</td>
      </tr>
    `;
  return html`
    <h2>Stages</h2>
    <div class="scroll">
      <table>
    <tr><th>Stage</th><th>State</th><th>Begun (UTC)</th><th class="number">Time</th>
    <th class="number">Attempts</th><th>What came of it</th></tr>
    ${stages.map(row)}
      </table>
    </div>
  `;
}

function decision({ gate }: Partial<Outputs>): Html {
  if (!gate) return html``;
  const item = ({ passed, reason }: typeof gate.checks[number]) =>
    html`<li><span class="${passed ? "good" : "bad"}">${passed ? "✓" : "✗"}</span> ${reason}</li>`;
  return html`<h2>The gate's checks</h2>
<ul>${gate.checks.map(item)}</ul>`;
}

function classTable({ gate, evaluate }: Partial<Outputs>): Html {
  if (!gate || !evaluate) return html``;
  const error = (right: number | null) => right === null ? "–" : percent(1 - right);
  const rows = gate.classes.map(({ name, images, champion, candidate }) =>
    html`
      <tr>
        <td>${name}</td>
        <td class="number">${images}</td>
        <td class="number">${error(champion)}</td>
        <td class="number">${error(candidate)}</td>
      </tr>
    `
  );
  const { top1Error, top1Interval: [low, high], images } = evaluate.scores;
  return html`
    <h2>Errors by class</h2>
    <p>All ${images} test images: top-1 error ${percent(top1Error)} (${percent(low)} to ${percent(
      high,
    )} at 95 %). Champion: ${evaluate.champion?.version ?? "none yet"}.</p>
    <div class="scroll">
      <table>
    <tr><th>Class</th><th class="number">Test images</th><th class="number">Champion</th>
    <th class="number">Candidate</th></tr>
    ${rows}
      </table>
    </div>
  `;
}

function imageTable({ validate, ingest }: Partial<Outputs>): Html {
  if (!validate || !ingest) return html``;
  const rows = validate.classes.map(({ name, train, validation, test, fresh }) =>
    html`
      <tr>
        <td>${name}</td>
        <td class="number">${train}</td>
        <td class="number">${validation}</td>
        <td class="number">${test}</td>
        <td class="number">${fresh}</td>
      </tr>
    `
  );
  return html`
    <h2>Images</h2>
    <p>${ingest.images} labelled images are stored, ${ingest.fresh} of them new; ${ingest
      .gone} are gone,
    ${ingest.unlabelled.length} have no label. Report with every file: <code>${validate
      .report}</code></p>
    <div class="scroll">
      <table>
    <tr><th>Class</th><th class="number">Training</th><th class="number">Validation</th>
    <th class="number">Test</th><th class="number">New</th></tr>
    ${rows}
      </table>
    </div>
  `;
}

function findingOf({ stops, text, files }: Finding): Html {
  const shown = files.slice(0, FILES_SHOWN).map(({ key, reason }) =>
    html`<li><code>${key}</code>: ${reason}</li>`
  );
  const more = files.length - shown.length;
  return html`<h2 class="${stops ? "bad" : ""}">${stops ? "Stops" : "Warning"}: ${text}</h2>
<ul>${shown}${more > 0 ? html`<li>and ${more} more</li>` : html``}</ul>`;
}
