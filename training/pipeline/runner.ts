/** Takes a run through its stages, from where it stands. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { parse } from "../../shared/manifest.ts";
import { PreconditionFailedError } from "../../shared/object_store/object_store.ts";
import { messageOf } from "../../shared/message_of.ts";
import { formatDuration } from "../progress.ts";
import { VERSION } from "../version.ts";
import { judgedKey, stageKey } from "./keys.ts";
import type { RunState } from "./run_record.ts";
import type { Outputs, Stage, StageContext, StageName } from "./stage.ts";
import { evaluate } from "./stages/evaluate.ts";
import { exportModel } from "./stages/export.ts";
import { gate, refusals } from "./stages/gate.ts";
import { ingest } from "./stages/ingest.ts";
import { prepare } from "./stages/prepare.ts";
import { promote } from "./stages/promote.ts";
import { publish } from "./stages/publish.ts";
import { train } from "./stages/train.ts";
import { tryModel } from "./stages/try.ts";
import { validate } from "./stages/validate.ts";
import { writePage } from "./tell/tell.ts";

/** How a run ended. */
export interface Ending {
  readonly state: Exclude<RunState, "working" | "failed">;
  readonly reasons: readonly string[];
}

const StoredResultSchema = z.strictObject({ key: z.string(), output: z.json() });
const JudgedSchema = z.strictObject({ run: z.string(), state: z.string() });

export class Runner {
  readonly #context: StageContext;
  readonly #results = new Map<StageName, unknown>();
  readonly #force: boolean;

  /** @param force goes on with images and settings that were judged before */
  constructor(context: Omit<StageContext, "result">, force: boolean) {
    this.#context = { ...context, result: (name) => this.#result(name) };
    this.#force = force;
  }

  /** @throws {Error} what went wrong in a stage, which the run's record names then. */
  async run(): Promise<Ending> {
    await this.#do(ingest);
    const { findings, records } = await this.#do(validate);
    const { run } = this.#context;
    const { listing } = this.#result("ingest");
    const stops = findings.filter((finding) => finding.stops).map(({ text }) => text);
    if (stops.length > 0) {
      await run.update({ listing });
      return { state: "bad-data", reasons: stops };
    }
    if (run.record.records !== records) await run.update({ listing, records });
    const before = this.#force ? null : await this.#judgedBefore();
    if (before) return { state: "nothing", reasons: [before] };
    await this.#do(prepare);
    await this.#do(train);
    await this.#do(evaluate);
    await this.#do(exportModel);
    await this.#do(tryModel);
    const decision = await this.#do(gate);
    const { version } = await this.#do(publish);
    if (run.record.version !== version) await run.update({ version });
    if (!decision.promote) {
      await this.#markJudged("refused");
      return { state: "refused", reasons: refusals(decision) };
    }
    try {
      const { promoted, canary } = await this.#do(promote);
      if (!promoted) {
        await this.#markJudged("refused");
        return { state: "refused", reasons: [`the canary was taken back: ${canary}`] };
      }
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      return { state: "abandoned", reasons: [error.message] };
    }
    await this.#markJudged("promoted");
    return { state: "promoted", reasons: decision.checks.map(({ reason }) => reason) };
  }

  #result<Name extends StageName>(name: Name): Outputs[Name] {
    if (this.#results.has(name)) return this.#results.get(name) as Outputs[Name];
    throw new TypeError(`Cannot use the result of ${name}: it has not run`);
  }

  /** The result of a stage that was finished before with the same inputs, or of doing it now. */
  async #do<Name extends StageName>(stage: Stage<Name>): Promise<Outputs[Name]> {
    const { line, run, lease, signal, store, model } = this.#context;
    signal.throwIfAborted();
    lease.require();
    const key = hashOf({ stage: stage.name, inputs: await stage.inputs(this.#context), VERSION });
    const known = await this.#stored(stage.name);
    if (known && (known.key === key || this.#isPublished(stage.name))) {
      const output = known.output as Outputs[Name];
      this.#results.set(stage.name, output);
      const record = run.record.stages.find((each) => each.name === stage.name);
      // Its process died between the result and the word of it.
      if (record && record.state !== "done") {
        await run.updateStage({ ...record, state: "done", text: stage.describe(output) });
      }
      return output;
    }
    const { name } = stage;
    const attempts = 1 + (run.record.stages.find((each) => each.name === name)?.attempts ?? 0);
    const startedAt = new Date().toISOString();
    await run.updateStage({ name, state: "working", attempts, startedAt, seconds: null, text: "" });
    line.print(`${name}: begins${attempts > 1 ? `, attempt ${attempts}` : ""}`);
    const began = performance.now();
    try {
      const output = await stage.run(this.#context);
      await lease.renew();
      const bytes = new TextEncoder().encode(JSON.stringify({ key, output }, null, 2) + "\n");
      await store.put(stageKey(model, run.record.run, name), bytes);
      this.#results.set(name, output);
      const seconds = (performance.now() - began) / 1000;
      const text = stage.describe(output);
      await run.updateStage({ name, state: "done", attempts, startedAt, seconds, text });
      await writePage(store, run);
      line.print(`${name}: ${text} (${formatDuration(seconds)})`);
      return output;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const seconds = (performance.now() - began) / 1000;
      const text = messageOf(error);
      await run.updateStage({ name, state: "failed", attempts, startedAt, seconds, text })
        .catch(() => {});
      throw error;
    }
  }

  /** A version that is published says how it was judged: that is not done again. */
  #isPublished(name: StageName): boolean {
    return name !== "promote" && this.#context.run.record.version !== null;
  }

  async #stored(name: StageName) {
    const { store, model, run } = this.#context;
    const object = await store.get(stageKey(model, run.record.run, name));
    return object && parse("result", StoredResultSchema, new TextDecoder().decode(object.bytes));
  }

  /** In words, what became of these images under these settings; null where nobody tried. */
  async #judgedBefore(): Promise<string | null> {
    const { store, run } = this.#context;
    const object = await store.get(this.#judgedKey());
    if (object === null) return null;
    const found = parse("judged", JudgedSchema, new TextDecoder().decode(object.bytes));
    if (found.run === run.record.run) return null;
    return `run ${found.run} had the same images and settings: ${found.state}`;
  }

  async #markJudged(state: Ending["state"]): Promise<void> {
    const { store, run } = this.#context;
    const text = JSON.stringify({ run: run.record.run, state }) + "\n";
    await store.put(this.#judgedKey(), new TextEncoder().encode(text));
  }

  #judgedKey(): string {
    const { model, settings: { training, from, gate } } = this.#context;
    const { dataset } = this.#result("validate");
    return judgedKey(model, hashOf({ dataset, training, from, gate, VERSION }));
  }
}

/** sha256, hex, of a value whose properties come in the order of the code. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
