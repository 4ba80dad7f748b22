// Four months of a flower classifier that retrains by itself: real photographs, a real S3 server, the
// real commands, and one running service that is asked all the time.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join, resolve } from "@std/path";
import { createHmac } from "node:crypto";
import { readHistory } from "../../training/registry/history.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { hasS3Server } from "../object_store/s3_server.ts";
import { topfive } from "../topfive_process.ts";
import { Asker } from "./asker.ts";
import { Retraining } from "./retraining.ts";

const FLOWERS = resolve(import.meta.dirname!, "../../../shared/data/flowers5-224/train");
const hasFlowers = await Deno.stat(FLOWERS).then(() => true, () => false);
const OLD = ["daisy", "sunflowers", "tulips"];
const NEW = ["dandelion", "roses"];
const SECRET = "not-a-secret";
const POLL_SECONDS = 1;

/** Small nets on few images: a first model that is better than chance will do. */
const SETTINGS = {
  training: {
    ...{ model: "alexnet-small", epochs: 8, batchSize: 8, learningRate: 0.01, warmupSteps: 20 },
    dropout: false,
  },
  images: { testShare: 0.25 },
  gate: {
    ...{ minTestImages: 40, maxTop1Error: 0.65, maxTop5Error: 1, newClassMaxTop1Error: 0.9 },
    // More classes to choose from cost the old ones something; this owner knows it.
    ...{ top1Margin: 0.3, maxClassFall: 0.6 },
  },
};
const STRICT = { ...SETTINGS, gate: { ...SETTINGS.gate, top1Margin: 0.02, maxClassFall: 0.1 } };

/** Photographs `from` to `to` of each class, under the class that `labelOf` says. */
async function upload(
  { store }: Retraining,
  { classes, from, to, prefix = "", labelOf = (name) => name }: {
    readonly classes: readonly string[];
    readonly from: number;
    readonly to: number;
    readonly prefix?: string;
    readonly labelOf?: (name: string, file: string) => string;
  },
): Promise<void> {
  for (const name of classes) {
    const files = [...Deno.readDirSync(join(FLOWERS, name))].map((entry) => entry.name).sort();
    await Promise.all(
      files.slice(from, to).map(async (file) => {
        const bytes = await Deno.readFile(join(FLOWERS, name, file));
        await store.put(`incoming/flowers/${labelOf(name, file)}/${prefix}${file}`, bytes);
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

Deno.test({
  name:
    "four months of retraining: three classes, two more, shuffled labels refused, nothing new, a rollback",
  ignore: !hasS3Server || !hasFlowers,
  async fn() {
    await using retraining = await Retraining.start();
    const { store, folder, address } = retraining;
    await Deno.writeTextFile(join(folder, "settings.json"), JSON.stringify(SETTINGS));
    await Deno.writeTextFile(join(folder, "strict.json"), JSON.stringify(STRICT));
    const hook = receive();
    Deno.env.set("TOPFIVE_WEBHOOK_SECRET", SECRET);
    const retrain = (file: string, ...args: string[]) =>
      retraining.retrain("flowers", "--config", file, "--webhook", hook.url, ...args);
    try {
      // Month 1: three classes, and no champion yet.
      await upload(retraining, { classes: OLD, from: 0, to: 60 });
      const first = await retrain("settings.json");
      assertEquals(
        [first.code, first.outcome.state],
        [0, "promoted"],
        first.outcome.reasons.join("\n"),
      );
      const month1 = first.outcome.run.version!;
      await using asker = await Asker.start(folder, address, {
        image: await Deno.readFile(join(FLOWERS, "tulips/10094729603_eeca3f2cb6.jpg")),
        pollSeconds: POLL_SECONDS,
      });
      assertEquals(asker.last?.version, month1);
      assertEquals(asker.last?.labels.toSorted(), OLD);

      // Month 2: two classes more, and two schedulers that start at once.
      await upload(retraining, { classes: OLD, from: 60, to: 150 });
      await upload(retraining, { classes: NEW, from: 0, to: 110 });
      const both = await Promise.all([retrain("settings.json"), retrain("settings.json")]);
      const second = both.find(({ outcome }) => outcome.state !== "held")!;
      const other = both.find(({ outcome }) => outcome.state === "held")!;
      const why = second.outcome.reasons.join("\n");
      assertEquals([second.code, second.outcome.state, other?.code], [0, "promoted", 4], why);
      assertMatch(JSON.stringify(other.outcome), /"holder":"[^"]+@[^"]+","until":"\d{4}-/);
      const month2 = second.outcome.run.version!;
      await asker.answeredBy(month2, POLL_SECONDS * 1000 + 10_000);
      assertEquals(asker.last?.labels.toSorted(), [...OLD, ...NEW].sort());
      const { provenance, gate } = await retraining.readJson<{
        provenance: { parent: string };
        gate: { promote: boolean; champion: string };
      }>(`models/flowers/versions/${month2}/manifest.json`);
      assertEquals([provenance.parent, gate.promote, gate.champion], [month1, true, month1]);

      // Month 3: somebody mixed up the labels.
      const all = [...OLD, ...NEW];
      const mixedUp = (_: string, file: string) => all[parseInt(file, 10) % all.length]!;
      const month3 = { classes: all, from: 200, to: 290, labelOf: mixedUp };
      await upload(retraining, month3);
      const third = await retrain("strict.json");
      assertEquals(
        [third.code, third.outcome.state],
        [3, "refused"],
        third.outcome.reasons.join("\n"),
      );
      assertMatch(third.outcome.reasons.join("\n"), /it is not shown to be at most 2\.00 % worse/);
      const candidate = await readPointer(store, "flowers", "candidate");
      assertEquals(candidate?.version, third.outcome.run.version);
      assertEquals((await readPointer(store, "flowers", "champion"))?.version, month2);
      const page = await asker.get(`/models/flowers/runs/latest`);
      assertStringIncludes(page, "refused; what answers is unchanged");
      assertStringIncludes(page, "it is not shown to be at most 2.00 % worse");

      // Month 4: the same again, under other names; then nothing at all.
      await upload(retraining, { ...month3, prefix: "month4-" });
      const fourth = await retrain("strict.json");
      assertEquals([fourth.code, fourth.outcome.state, fourth.outcome.worked], [
        0,
        "nothing",
        true,
      ]);
      assertStringIncludes(fourth.outcome.reasons[0]!, "had the same images and settings: refused");
      const fifth = await retrain("strict.json");
      assertEquals([fifth.code, fifth.outcome.state, fifth.outcome.worked], [0, "nothing", false]);
      assertEquals(asker.last?.version, month2);

      // Back to month 1; no retraining undoes what a person decided.
      await topfive(folder, "models", "rollback", "flowers", "--store", address, "--to", month1);
      await asker.answeredBy(month1, POLL_SECONDS * 1000 + 10_000);
      assertEquals((await retrain("strict.json")).outcome.state, "nothing");
      assertEquals((await readHistory(store, "flowers", "champion")).map((m) => m.version), [
        ...[month1, month2, month1],
      ]);

      const { answers, failures } = await asker.stop();
      assertEquals(failures, []);
      assert(answers > 50, `${answers} answers`);
      assertEquals(hook.received.map(({ type }) => type), [
        ...["retrain.promoted", "retrain.promoted", "retrain.refused"],
      ]);
      assertEquals(hook.received[2]!.data.reasons, third.outcome.reasons);
    } finally {
      Deno.env.delete("TOPFIVE_WEBHOOK_SECRET");
      await hook.server.shutdown();
    }
  },
});
