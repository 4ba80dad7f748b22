import { type ModelCard, ModelCardSchema, parse } from "../../shared/manifest.ts";

/**
 * The human part of a model's card, from a JSON file.
 *
 * @throws {SyntaxError} naming each field that is wrong.
 * @throws {Deno.errors.NotFound} where there is no such file.
 */
export async function readCardFile(path: string): Promise<ModelCard> {
  return parse(`model card ${path}`, ModelCardSchema, await Deno.readTextFile(path));
}
