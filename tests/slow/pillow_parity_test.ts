// Our records of 224 pixels beside those that the Pillow of this machine makes, over ../shared/data/images.
// TOPFIVE_PYTHON names a Python with pillow and numpy (python3 unless given). Writes the table that
// shared/image/PILLOW.md holds where WRITE_TABLE=1.
import { assertLess } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { decodeRecord } from "../../shared/image/preprocess.ts";

const SIDE = 224;
const DATA = new URL("../../../shared/data/images/", import.meta.url);
const TABLE = new URL("../../shared/image/PILLOW.md", import.meta.url);
const SCRIPT = fromFileUrl(
  new URL("../../shared/image/fixtures/make_corpus.py", import.meta.url),
);

/** Broken files of which every decoder makes something else. */
const NO_RIGHT_ANSWER = [
  "hostile/badrle.bmp",
  "hostile/dc-predictor-overflow.jpg",
  "hostile/hopper_bad_exif.jpg",
  "hostile/subtract-with-overflow.jpg",
];

interface Row {
  file: string;
  format: string;
  /** Mean absolute difference in 255ths; NaN where we refuse the file. */
  mean: number;
  most: number;
}

async function pillowRecords() {
  const python = Deno.env.get("TOPFIVE_PYTHON") ?? "python3";
  const { stdout, stderr, success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `exec "$0" "$@"`, python, SCRIPT, fromFileUrl(DATA), String(SIDE)],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)) as {
    pillow: string;
    records: { file: string; format: string; record: string }[];
  };
}

function table(pillow: string, rows: readonly Row[]): string {
  const lines = [...Map.groupBy(rows, ({ format }) => format)].sort().map(([format, group]) => {
    const read = group.filter(({ mean }) => !Number.isNaN(mean));
    const usual = read.filter(({ file }) => !NO_RIGHT_ANSWER.includes(file));
    const largest = (value: (row: Row) => number) => Math.max(...usual.map(value));
    return `| ${format} | ${group.length} | ${read.length} | ` +
      `${largest(({ mean }) => mean).toFixed(3)} | ${largest(({ most }) => most)} |`;
  });
  const refused = rows.filter(({ mean }) => Number.isNaN(mean)).map(({ file }) => `\`${file}\``);
  const open = rows.filter(({ file }) => NO_RIGHT_ANSWER.includes(file));
  return `# Beside Pillow ${pillow}

Upright records of ${SIDE} × ${SIDE} (alpha on white, 16 bits reduced to 8) of real and hostile files, in
255ths; written by \`tests/slow/pillow_parity_test.ts\`.

| format | read by Pillow | read here too | largest mean difference | largest difference |
| --- | --- | --- | --- | --- |
${lines.join("\n")}

Refused here with a reason, read by Pillow: ${refused.sort().join(", ")}.

Not counted, because each decoder makes something else of the damage: ${
    open.map(({ file, mean }) => `\`${file}\` (${mean.toFixed(1)})`).join(", ")
  }.
`;
}

Deno.test("decodeRecord() of 224 pixels is within 2 of 255 of Pillow's", async () => {
  const { pillow, records } = await pillowRecords();
  const rows: Row[] = [];
  for (const { file, format, record } of records) {
    const theirs = Uint8Array.fromBase64(record);
    const bytes = await Deno.readFile(new URL(file, DATA));
    const ours = await decodeRecord(bytes, { side: SIDE, channels: 3 }).catch(() => undefined);
    const differences = ours?.map((value, at) => Math.abs(value - theirs[at]!));
    const mean = differences
      ? differences.reduce((sum, value) => sum + value, 0) / theirs.length
      : NaN;
    const most = differences?.reduce((most, value) => Math.max(most, value), 0) ?? NaN;
    rows.push({ file, format, mean, most });
    if (ours && !NO_RIGHT_ANSWER.includes(file)) assertLess(mean, 2, file);
  }
  const text = table(pillow, rows);
  if (Deno.env.get("WRITE_TABLE") === "1") await Deno.writeTextFile(TABLE, text);
  else console.log(text);
});
