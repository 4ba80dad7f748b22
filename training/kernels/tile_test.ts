import { assertEquals } from "@std/assert";
import { pickTile, tileName } from "./tile.ts";

interface Strip {
  readonly family: "strip";
  readonly pixels: number;
  readonly channels: number;
}
const small: Strip = { family: "strip", pixels: 2, channels: 4 };
const large: Strip = { family: "strip", pixels: 16, channels: 32 };
const ranked = [{ tile: small, cost: 1 }, { tile: large, cost: 2 }];

Deno.test("tileName() tells every tile of a family apart", () => {
  assertEquals(tileName(large), "strip 16 32");
  assertEquals(
    tileName({ family: "subgroup", lanes: "n", registers: 64 } as never),
    "subgroup n 64",
  );
});

Deno.test("pickTile() takes the table's tile, else the first candidate", () => {
  assertEquals(pickTile("conv", ranked, undefined), small);
  assertEquals(pickTile("conv", ranked, new Map([["conv", "strip 16 32"]])), large);
  assertEquals(pickTile("conv", ranked, new Map([["fc", "strip 16 32"]])), small);
});

Deno.test("pickTile() passes over a tile that is no candidate", () => {
  assertEquals(pickTile("conv", ranked, new Map([["conv", "strip 3 4"]])), small);
  assertEquals(pickTile("conv", ranked, new Map([["conv", ""]])), small);
});
