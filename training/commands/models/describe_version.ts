import type { ModelManifest } from "../../../shared/manifest.ts";
import { percent } from "../../../shared/percent.ts";

type Metrics = NonNullable<ModelManifest["metrics"]>;

/** Lines of a paragraph at most this wide. */
const WIDTH = 90;
/** Of many classes, those that it knows worst. */
const CLASSES_SHOWN = 12;
const CONFUSIONS_SHOWN = 6;

/** One version for people: its card, how well it does, and how it was made. */
export function describeVersion(manifest: ModelManifest, signers: readonly string[]): string {
  const { name, version } = manifest;
  const sections = [
    [`${name} ${version}`, ...facts(summaryOf(manifest))],
    ...cardOf(manifest.card),
    accuracyOf(manifest),
    decisionOf(manifest.gate),
    ["How it was made", ...facts(lineageOf(manifest, signers))],
  ];
  return sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function summaryOf({ createdAt, weights, input, preprocess, labels, variants }: ModelManifest) {
  const { side, channels } = preprocess;
  const shown = labels.slice(0, 8).join(", ") + (labels.length > 8 ? ", …" : "");
  return {
    created: createdAt.slice(0, 16).replace("T", " "),
    classes: `${labels.length}: ${shown}`,
    input:
      `${input.shape.slice(2).join(" x ")} ${channels === 1 ? "grey" : "RGB"}, sides resized ` +
      `to ${side}`,
    weights: `${megabytes(weights.byteLength)}, sha256 ${weights.sha256}`,
    ...(variants?.length
      ? {
        variants: variants.map(({ name, weights }) => `${name} (${megabytes(weights.byteLength)})`)
          .join(", "),
      }
      : {}),
  };
}

function cardOf(card: ModelManifest["card"]): string[][] {
  if (card === undefined) return [];
  const { intendedUse, outOfScope, data, weaknesses = [], contact, licence } = card;
  const paragraph = (title: string, text: string | undefined) =>
    text === undefined ? [] : [title, ...wrap(text, "  ")];
  return [
    paragraph("Intended use", intendedUse),
    paragraph("Not for", outOfScope),
    paragraph("Data", data),
    weaknesses.length === 0
      ? []
      : ["Known weaknesses", ...weaknesses.flatMap((text) => wrap(text, "  - "))],
    paragraph("Contact", contact),
    paragraph("Licence", licence),
  ];
}

function accuracyOf({ metrics, labels }: ModelManifest): string[] {
  if (metrics === undefined) return ["Accuracy", "  not measured"];
  const lines = [`Accuracy on ${metrics.images} images of ${metrics.split}`];
  lines.push(...facts({
    "top-1 error": withInterval(metrics.top1Error, metrics.top1Interval),
    "top-5 error": withInterval(metrics.top5Error, metrics.top5Interval),
    loss: metrics.loss.toFixed(4),
  }));
  lines.push(...byClass(metrics, labels));
  const confusions = metrics.confusions?.slice(0, CONFUSIONS_SHOWN) ?? [];
  if (confusions.length > 0) {
    const text = confusions.map(({ label, answer, images }) =>
      `${label} for ${answer} (${images})`
    );
    lines.push(...wrap(`takes ${text.join(", ")}`, "  "));
  }
  return lines;
}

/** The classes that it knows worst come first. */
function byClass({ classes }: Metrics, labels: readonly string[]): string[] {
  const measured = (classes ?? []).flatMap((entry, i) =>
    entry ? [{ label: labels[i]!, ...entry }] : []
  ).sort((a, b) => b.top1Error - a.top1Error || b.images - a.images);
  const shown = measured.slice(0, CLASSES_SHOWN);
  const width = Math.max(...shown.map(({ label }) => label.length));
  const lines = shown.map(({ label, images, top1Error, interval }) =>
    `  ${label.padEnd(width)}  top-1 error ${withInterval(top1Error, interval)}, ${images} images`
  );
  const rest = measured.length - shown.length;
  return rest > 0 ? [...lines, `  and ${rest} classes that it knows better (--json)`] : lines;
}

function decisionOf(gate: ModelManifest["gate"]): string[] {
  if (gate === undefined) return [];
  const { promote, champion, run, reasons } = gate;
  const beside = champion ? `, beside ${champion}` : "";
  return [
    `${promote ? "Passed the gate" : "Refused by the gate"} in run ${run}${beside}`,
    ...reasons.flatMap((reason) => wrap(reason, "  - ")),
  ];
}

function lineageOf(
  { provenance, createdAt: _ }: ModelManifest,
  signers: readonly string[],
): Record<string, string> {
  const { codeVersion, model, seed, adapter, parent, config, images } = provenance;
  const { dataFingerprint, contentFingerprint } = provenance;
  return {
    network: model,
    "made by": `topfive ${codeVersion}, seed ${seed}, on ${adapter}`,
    "began from": parent ?? "random weights",
    ...(images
      ? {
        images: `${images.train} training, ${images.validation} validation, ${images.test} test`,
      }
      : {}),
    data: dataFingerprint,
    ...(contentFingerprint ? { content: contentFingerprint } : {}),
    "signed by": signers.join(", ") || "nobody",
    settings: Object.entries(config).map(([key, value]) => `${key} ${shown(value)}`).join(", "),
  };
}

function shown(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function facts(entries: Record<string, string>): string[] {
  const width = Math.max(...Object.keys(entries).map(({ length }) => length));
  return Object.entries(entries).flatMap(([key, value]) => wrap(value, `  ${key.padEnd(width)}  `));
}

/** Words in lines; the first begins with `lead`, the others are indented as far. */
function wrap(text: string, lead: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && lead.length + line.length + word.length >= WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each, i) => (i === 0 ? lead : " ".repeat(lead.length)) + each);
}

function withInterval(share: number, interval: readonly [number, number] | undefined): string {
  const between = interval ? ` (${percent(interval[0])} to ${percent(interval[1])} at 95 %)` : "";
  return `${percent(share)}${between}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
