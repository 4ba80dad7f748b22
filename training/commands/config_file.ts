/** Settings from a JSON file: as a person writes them, or as a run's `run.json` has them. */
import { nearestName } from "../nearest_name.ts";
import { SETTING_NAMES } from "../settings.ts";

const NAMES = ["model", ...SETTING_NAMES];

/**
 * The file's settings by name, the model among them where it is given; values are not yet judged.
 *
 * @throws {SyntaxError} where the file is not there, is no JSON object or names what is no setting,
 * with the nearest name.
 */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  const refuse = (reason: string) => new SyntaxError(`Cannot train by ${path}: ${reason}`);
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`it is no JSON (${(error as Error).message})`);
  }
  if (!isObject(value)) throw refuse("it holds no object of settings");
  const settings = "config" in value && isObject(value.config) ? value.config : value;
  for (const name of Object.keys(settings)) {
    if (NAMES.includes(name)) continue;
    const nearest = nearestName(name, NAMES);
    const hint = nearest === undefined
      ? `expected ${NAMES.join(", ")}`
      : `did you mean ${nearest}?`;
    throw refuse(`${JSON.stringify(name)} is no setting (${hint})`);
  }
  return settings;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
