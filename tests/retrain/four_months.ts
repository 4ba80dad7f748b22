/**
 * Four months of a classifier that retrains by itself: a real S3 server, the real commands, and one
 * running service that is asked all the time.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { createHash, createHmac } from "node:crypto";
import { readPointer } from "../../shared/registry/pointer.ts";
import { readHistory } from "../../training/registry/history.ts";
import { topfive } from "../topfive_process.ts";
import { Asker } from "./asker.ts";
import type { Retraining } from "./retraining.ts";

const SECRET = "not-a-secret";
const POLL_SECONDS = 1;
/** For loading a model on a busy machine, beside the polling. */
const PATIENCE_MS = 20_000;

/** Over all classes or of one: what the gate says of a model that was taught wrong labels. */
const WORSE = /it is not shown to be at most|right on \d+ images, p = .* fell by more than/;

/** Both models answer what the client asks; who is right of small ones is half chance. */
const CANARY = {
  setting: { mode: "shadow" },
  policy: { minCompared: 20, pollSeconds: 1, minAgreement: 0.4, maxLatencyRatio: 20 },
};

export interface Story {
  /** Three classes, and the two that come later. */
  readonly old: readonly string[];
  readonly added: readonly string[];
  /** Images of a class, as paths. */
  filesOf(name: string): string[];
  /** Images of each class that come in month 1, of old and added ones in month 2, and in month 3. */
  readonly counts: { month1: number; old: number; added: number; month3: number };
  /** Settings of the first two months, and of those after, as topfive retrain's --config has them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly later: Readonly<Record<string, unknown>>;
}

/** Stores images `from` to `to` of each class, under the class that `labelOf` says. */
async function upload(
  { store }: Retraining,
  { classes, filesOf, from, count, prefix = "", labelOf = (name) => name }: {
    readonly classes: readonly string[];
    readonly filesOf: Story["filesOf"];
    readonly from: number;
    readonly count: number;
    readonly prefix?: string;
    readonly labelOf?: (name: string, file: string) => string;
  },
): Promise<void> {
  for (const name of classes) {
    await Promise.all(
      filesOf(name).slice(from, from + count).map(async (path) => {
        const file = path.split("/").at(-1)!;
        const key = `incoming/things/${labelOf(name, path)}/${prefix}${name}-${file}`;
        await store.put(key, await Deno.readFile(path));
      }),
    );
  }
}

interface Delivery {
  readonly type: string;
  readonly data: { readonly reasons: readonly string[] };
}

/** A receiver of webhooks that is busy at first, and believes what is signed. */
function receive() {
  const received: Delivery[] = [];
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (r) => {
    const text = await r.text();
    if (requests++ === 0) return new Response("later", { status: 503 });
    const signed = ["webhook-id", "webhook-timestamp"].map((name) => r.headers.get(name)).join(".");
    const expected = createHmac("sha256", SECRET).update(`${signed}.${text}`).digest("base64");
    assertEquals(r.headers.get("webhook-signature"), `v1,${expected}`);
    received.push(JSON.parse(text));
    return new Response(null, { status: 204 });
  });
  return { received, server, url: `http://127.0.0.1:${server.addr.port}/hook` };
}

export async function liveThrough(story: Story, retraining: Retraining): Promise<void> {
  const { store, folder, address } = retraining;
  const { old, added, counts, filesOf } = story;
  await Deno.writeTextFile(join(folder, "settings.json"), JSON.stringify(story.settings));
  await Deno.writeTextFile(join(folder, "later.json"), JSON.stringify(story.later));
  const hook = receive();
  Deno.env.set("TOPFIVE_WEBHOOK_SECRET", SECRET);
  const retrain = (file: string) =>
    retraining.retrain("things", "--config", file, "--webhook", hook.url);
  const reasonsOf = ({ outcome }: Awaited<ReturnType<typeof retrain>>) =>
    outcome.reasons?.join("\n") ?? "";
  try {
    // Month 1: three classes, and no champion yet.
    await upload(retraining, { classes: old, filesOf, from: 0, count: counts.month1 });
    const first = await retrain("settings.json");
    assertEquals([first.code, first.outcome.state], [0, "promoted"], reasonsOf(first));
    const month1 = first.outcome.run.version!;
    await using asker = await Asker.start(folder, address, {
      images: await Promise.all(
        old.flatMap((name) => filesOf(name).slice(-8)).map((path) => Deno.readFile(path)),
      ),
      pollSeconds: POLL_SECONDS,
    });
    assertEquals(asker.last?.version, month1);
    assertEquals(asker.last?.labels.toSorted(), old.toSorted());

    // Month 2: two classes more, a canary, and two schedulers that start at once.
    const canary = { ...CANARY, services: [asker.origin] };
    await Deno.writeTextFile(
      join(folder, "canary.json"),
      JSON.stringify({ ...story.settings, canary }),
    );
    await upload(retraining, { classes: old, filesOf, from: counts.month1, count: counts.old });
    await upload(retraining, { classes: added, filesOf, from: 0, count: counts.added });
    const both = await Promise.all([retrain("canary.json"), retrain("canary.json")]);
    const second = both.find(({ outcome }) => outcome.state !== "held")!;
    const other = both.find(({ outcome }) => outcome.state === "held");
    assertEquals(
      [second.code, second.outcome.state, other?.code],
      [0, "promoted", 4],
      reasonsOf(second),
    );
    assertMatch(JSON.stringify(other!.outcome), /"holder":"[^"]+@[^"]+","until":"\d{4}-/);
    const month2 = second.outcome.run.version!;
    await asker.answeredBy(month2, POLL_SECONDS * 1000 + PATIENCE_MS);
    assertEquals(asker.last?.labels.toSorted(), [...old, ...added].sort());
    const canaries = await readHistory(store, "things", "candidate");
    assertMatch(
      canaries.map(({ reason }) => reason).join("\n"),
      /canary passed: .*\n.*canary begins/s,
    );
    const { provenance, gate } = await retraining.readJson<{
      provenance: { parent: string };
      gate: { promote: boolean; champion: string };
    }>(`models/things/versions/${month2}/manifest.json`);
    assertEquals([provenance.parent, gate.promote, gate.champion], [month1, true, month1]);

    // Month 3: somebody mixed up the labels.
    const all = [...old, ...added];
    const mixedUp = (_: string, path: string) =>
      all[createHash("sha256").update(path.split("/").slice(-2).join()).digest()[0]! % all.length]!;
    const month3 = { classes: all, filesOf, from: 200, count: counts.month3, labelOf: mixedUp };
    await upload(retraining, month3);
    const third = await retrain("later.json");
    assertEquals([third.code, third.outcome.state], [3, "refused"], reasonsOf(third));
    assertMatch(reasonsOf(third), WORSE);
    const candidate = await readPointer(store, "things", "candidate");
    assertEquals(candidate?.version, third.outcome.run.version);
    assertEquals((await readPointer(store, "things", "champion"))?.version, month2);
    const page = await asker.get("/models/things/runs/latest");
    assertStringIncludes(page, "refused; what answers is unchanged");
    assertMatch(page, WORSE);

    // Month 4: the same again, under other names; then nothing at all.
    await upload(retraining, { ...month3, prefix: "month4-" });
    const fourth = await retrain("later.json");
    assertEquals([fourth.code, fourth.outcome.state], [0, "nothing"], reasonsOf(fourth));
    assertStringIncludes(reasonsOf(fourth), "had the same images and settings: refused");
    const fifth = await retrain("later.json");
    assertEquals([fifth.code, fifth.outcome.state, fifth.outcome.worked], [0, "nothing", false]);
    assertEquals(asker.last?.version, month2);

    // Back to month 1; no retraining undoes what a person decided.
    await topfive(folder, "models", "rollback", "things", "--store", address, "--to", month1);
    await asker.answeredBy(month1, POLL_SECONDS * 1000 + PATIENCE_MS);
    assertEquals((await retrain("later.json")).outcome.state, "nothing");
    const moves = await readHistory(store, "things", "champion");
    assertEquals(moves.map(({ version }) => version), [month1, month2, month1]);

    const { answers, failures } = await asker.stop();
    assertEquals(failures, []);
    assert(answers > 50, `${answers} answers`);
    const told = hook.received.map(({ type }) => type);
    assertEquals(told, ["retrain.promoted", "retrain.promoted", "retrain.refused"]);
    assertEquals(hook.received[2]!.data.reasons, third.outcome.reasons);
  } finally {
    Deno.env.delete("TOPFIVE_WEBHOOK_SECRET");
    await hook.server.shutdown();
  }
}
