/**
 * Where a retraining keeps what, beside the registry's own keys:
 *
 *     models/<name>/retraining/lease.json        who works on it
 *     models/<name>/retraining/schedule.json     the window that was dealt with last
 *     models/<name>/retraining/split.json        which images are held out; never changed
 *     models/<name>/retraining/judged/<key>.json by images and settings: the run that judged them
 *     models/<name>/runs/latest.json             the run that began last
 *     models/<name>/runs/<run>/run.json          state, settings, stages, reasons
 *     models/<name>/runs/<run>/stages/<stage>.json   a stage's result; written when it is finished
 *     models/<name>/runs/<run>/training/…        the training's run folder, with its checkpoints
 *     models/<name>/runs/<run>/page.html
 * @module
 */
import { modelPrefix, runPrefix } from "../../shared/registry/keys.ts";

export const leaseKey = (model: string) => `${modelPrefix(model)}retraining/lease.json`;
export const scheduleKey = (model: string) => `${modelPrefix(model)}retraining/schedule.json`;
export const splitRuleKey = (model: string) => `${modelPrefix(model)}retraining/split.json`;
export const judgedKey = (model: string, key: string) =>
  `${modelPrefix(model)}retraining/judged/${key}.json`;
export const runKey = (model: string, run: string) => `${runPrefix(model, run)}run.json`;
export const stageKey = (model: string, run: string, stage: string) =>
  `${runPrefix(model, run)}stages/${stage}.json`;
/** What a stage leaves beside its result. */
export const resultKey = (model: string, run: string, name: string) =>
  `${runPrefix(model, run)}${name}`;
export const trainingPrefix = (model: string, run: string) => `${runPrefix(model, run)}training/`;
export const incomingPrefix = (model: string) => `incoming/${model}/`;
