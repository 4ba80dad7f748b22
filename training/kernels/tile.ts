/**
 * Tiles as data: a product can be cut into pieces in many ways, and which is fastest depends on the
 * adapter and the shape. The cost models rank the ways; a table of measured winners may overrule
 * them.
 * @module
 */
import type { Precision } from "../gpu/precision.ts";

/** One way to cut a product; each family adds its sizes. */
export interface Tile {
  readonly family: string;
}

/** A tile and what it is estimated to cost: the unit is its family's, less is better. */
export interface RankedTile<T extends Tile> {
  readonly tile: T;
  readonly cost: number;
}

/** Names of tiles by problem key: what {@link pickTile} takes instead of the cost model's choice. */
export type TileTable = ReadonlyMap<string, string>;

/** The product behind a dispatch, for the tuner and the profiler. */
export interface TiledProblem {
  /** Direction, shapes, batch and what the store does: problems of equal keys are one problem. */
  readonly key: string;
  /** Name of the tile that was taken. */
  readonly tile: string;
  /** Names of the tiles that could be taken, the cost model's best first. */
  readonly candidates: readonly string[];
  /** Multiply-adds that the result needs, without those of padding. */
  readonly multiplyAdds: number;
}

/** "subgroup n 64 2": the family and its sizes in their order. */
export function tileName(tile: Tile): string {
  return Object.values(tile).join(" ");
}

/** Of a problem's key: what is fastest in one precision need not be so in the other. */
export function keySuffix({ precision = "f32" }: { readonly precision?: Precision }): string {
  return precision === "f32" ? "" : ` ${precision}`;
}

/**
 * The table's tile for a problem, or the first candidate: a table may be of older code, so a tile
 * that is no candidate is passed over.
 */
export function pickTile<T extends Tile>(
  key: string,
  candidates: readonly RankedTile<T>[],
  tiles: TileTable | undefined,
): T {
  const name = tiles?.get(key);
  const measured = name && candidates.find(({ tile }) => tileName(tile) === name);
  return (measured || candidates[0]!).tile;
}
