/**
 * Where a registry keeps what:
 *
 *     blobs/sha256/<hex>                                 weights, by content: shared, never changed
 *     models/<name>/versions/<version>/manifest.json     never changed
 *     models/<name>/versions/<version>/signatures/<key>.json
 *     models/<name>/aliases/<alias>.json                 moved by compare-and-swap
 *     models/<name>/history/<alias>/<number>.json        one an alias's move, never changed
 *     models/<name>/runs/<run>/…                         a retraining: its state, its results, its page
 *     models/<name>/runs/latest.json                     the one that began last
 * @module
 */
import { parseSafeName } from "../manifest.ts";

/** Digits of a move's number in its key: keys sort as numbers do. */
const MOVE_DIGITS = 8;

/** All of a model lies below it. @throws {SyntaxError} when the name is no path segment. */
export function modelPrefix(name: string): string {
  return `models/${parseSafeName("model name", name)}/`;
}

function versionPrefix(name: string, version: string): string {
  return `${modelPrefix(name)}versions/${parseSafeName("model version", version)}/`;
}

export function manifestKey(name: string, version: string): string {
  return `${versionPrefix(name, version)}manifest.json`;
}

export function signaturePrefix(name: string, version: string): string {
  return `${versionPrefix(name, version)}signatures/`;
}

export function aliasKey(name: string, alias: string): string {
  return `${modelPrefix(name)}aliases/${parseSafeName("alias", alias)}.json`;
}

export function historyPrefix(name: string, alias: string): string {
  return `${modelPrefix(name)}history/${parseSafeName("alias", alias)}/`;
}

export function moveKey(name: string, alias: string, number: number): string {
  return `${historyPrefix(name, alias)}${String(number).padStart(MOVE_DIGITS, "0")}.json`;
}

export function runPrefix(name: string, run: string): string {
  return `${modelPrefix(name)}runs/${parseSafeName("run", run)}/`;
}

/** A run as people read it. */
export function runPageKey(name: string, run: string): string {
  return `${runPrefix(name, run)}page.html`;
}

export function latestRunKey(name: string): string {
  return `${modelPrefix(name)}runs/latest.json`;
}
