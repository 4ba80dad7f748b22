/** What a stage is, and what stages know of each other. */
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import type { ProgressLine } from "../progress.ts";
import type { ImageCache } from "./images/image_cache.ts";
import type { Lease } from "./lease/lease.ts";
import type { RunFile, RunRecord } from "./run_record.ts";
import type { RetrainSettings } from "./settings.ts";
import type { EvaluateOutput } from "./stages/evaluate.ts";
import type { ExportOutput } from "./stages/export.ts";
import type { GateOutput } from "./stages/gate.ts";
import type { IngestOutput } from "./stages/ingest.ts";
import type { PrepareOutput } from "./stages/prepare.ts";
import type { PromoteOutput } from "./stages/promote.ts";
import type { PublishOutput } from "./stages/publish.ts";
import type { TrainOutput } from "./stages/train.ts";
import type { TryOutput } from "./stages/try.ts";
import type { ValidateOutput } from "./stages/validate.ts";

/** In the order in which they run. What they check of a candidate's service is part of the gate. */
export const STAGE_NAMES = [
  "ingest",
  "validate",
  "prepare",
  "train",
  "evaluate",
  "export",
  "try",
  "gate",
  "publish",
  "promote",
] as const;
export type StageName = typeof STAGE_NAMES[number];

/** Results by stage. */
export interface Outputs {
  readonly ingest: IngestOutput;
  readonly validate: ValidateOutput;
  readonly prepare: PrepareOutput;
  readonly train: TrainOutput;
  readonly evaluate: EvaluateOutput;
  readonly export: ExportOutput;
  readonly try: TryOutput;
  readonly gate: GateOutput;
  readonly publish: PublishOutput;
  readonly promote: PromoteOutput;
}

/** What a stage works with. All that must survive this process goes to the store. */
export interface StageContext {
  readonly store: ObjectStore;
  readonly model: string;
  readonly run: RunFile;
  readonly settings: RetrainSettings;
  readonly lease: Pick<Lease, "move" | "renew" | "require">;
  readonly images: ImageCache;
  /** A folder of this machine, for what can be made again. */
  readonly work: string;
  /** How often a training's checkpoint goes to the store, minutes. */
  readonly checkpointMinutes: number;
  /** PKCS #8 in PEM, to sign what is published; unsigned where there is none. */
  readonly signingKey: string | undefined;
  /** For the services that are asked about a canary, where they want one. */
  readonly apiKey: string | undefined;
  readonly line: ProgressLine;
  /** Set when the work is to stop. */
  readonly signal: AbortSignal;
  /** The result of an earlier stage. */
  result<Name extends StageName>(name: Name): Outputs[Name];
}

/** What looking for images takes; a dry run has no more. */
export interface LookContext
  extends Pick<StageContext, "store" | "model" | "settings" | "images" | "line" | "signal"> {
  readonly run: { readonly record: Pick<RunRecord, "run" | "base"> };
}

/** A step of a retraining. Its result is plain data, kept in the store. */
export interface Stage<Name extends StageName> {
  readonly name: Name;
  /** All that its result follows from, beside the code: another value, and it is done again. */
  inputs(context: StageContext): unknown | Promise<unknown>;
  run(context: StageContext): Promise<Outputs[Name]>;
  /** What came of it, in a few words. */
  describe(output: Outputs[Name]): string;
}
