import { z } from "zod";
import { isCrowdedForm, isCrowdedJson } from "./crowded_body.ts";
import { ProblemError } from "./problem.ts";

/** An image of a request, or the address where it is, and what the client calls it. */
export type NamedImage =
  & { readonly name: string | undefined }
  & ({ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly url: string });

/** What a request's body holds. */
export interface RequestImages {
  readonly images: readonly NamedImage[];
  /** True where several may have been sent: the answer is a list then, also of one. */
  readonly several: boolean;
  /** Parameters in a JSON body, beside those in the address. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** More images than this in one request are refused: each is a job of its own. */
const MOST_IMAGES = 32;

const Parameter = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const Base64 = z.string().min(1).describe("Base64, or a data URL in base64.");
const Address = z.string().min(1).max(2048)
  .describe("An https address at a host that the operator allows.");

/** The body of a JSON request; one of `image`, `images`, `url` and `urls`. */
export const JsonBody = z.object({
  image: Base64.optional(),
  images: z.array(Base64).min(1).max(MOST_IMAGES).optional(),
  url: Address.optional(),
  urls: z.array(Address).min(1).max(MOST_IMAGES).optional(),
  top: Parameter.optional(),
  model: Parameter.optional(),
  version: Parameter.optional(),
  views: Parameter.optional(),
  threshold: Parameter.optional(),
  explain: Parameter.optional(),
});

/** The label is that of feedback, which is read by the same rules. */
const ParsedBody = JsonBody.extend({ label: Parameter.optional() });

/**
 * The images in a body: `multipart/form-data` with files, JSON with base64 or data URLs, and anything
 * else is one image. The form is told by what the body is, not by its content type alone: a PNG that is
 * called multipart is a PNG.
 *
 * @throws {ProblemError} `unreadable-request` when the form or the JSON cannot be read.
 */
export async function readImages(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<RequestImages> {
  const type = contentType.toLowerCase();
  if (type.startsWith("multipart/form-data") && startsWith(body, "--")) {
    return await readForm(body, contentType);
  }
  if (type.startsWith("application/json") && startsWith(body, "{")) return readJson(body);
  return { images: [{ name: undefined, bytes: body }], several: false, parameters: {} };
}

async function readForm(
  body: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<RequestImages> {
  if (isCrowdedForm(body, contentType)) throw unreadable("the form has too many parts");
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "Content-Type": contentType } }).formData();
  } catch (cause) {
    throw unreadable("the form is broken or cut off", cause);
  }
  const images: NamedImage[] = [];
  const parameters: Record<string, string> = {};
  for (const [field, value] of form) {
    if (typeof value === "string") parameters[field] = value;
    else images.push({ name: value.name || field, bytes: await value.bytes() });
  }
  if (images.length === 0) throw unreadable("the form has no file");
  if (images.length > MOST_IMAGES) throw unreadable(`the form has over ${MOST_IMAGES} files`);
  return { images, several: images.length > 1, parameters };
}

function readJson(body: Uint8Array): RequestImages {
  if (isCrowdedJson(body)) throw unreadable("the JSON has too many members");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw unreadable("the JSON is broken", cause);
  }
  const result = ParsedBody.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw unreadable(`${issue!.path.join(".")}: ${issue!.message}`);
  }
  const { image, images, url, urls, ...given } = result.data;
  if ([image, images, url, urls].filter((source) => source !== undefined).length !== 1) {
    throw unreadable('expected one of "image", "images", "url" and "urls"');
  }
  const parameters = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    images: url ?? urls
      ? (urls ?? [url!]).map((url) => ({ name: url, url }))
      : (images ?? [image!]).map((text) => ({ name: undefined, bytes: readBase64(text) })),
    several: (images ?? urls) !== undefined,
    parameters,
  };
}

/**
 * Base64, alone or in a data URL (RFC 2397).
 *
 * @throws {ProblemError} `unreadable-request` when it is neither.
 */
export function readBase64(text: string): Uint8Array<ArrayBuffer> {
  const data = /^data:[^,]{0,200};base64,/i.exec(text)?.[0] ?? "";
  try {
    return Uint8Array.fromBase64(text.slice(data.length));
  } catch (cause) {
    throw unreadable("an image is neither base64 nor a data URL in base64", cause);
  }
}

function startsWith(body: Uint8Array, text: string): boolean {
  const head = new TextDecoder().decode(body.subarray(0, 64)).trimStart();
  return head.startsWith(text);
}

function unreadable(reason: string, cause?: unknown): ProblemError {
  return new ProblemError("unreadable-request", `Cannot read the request: ${reason}`, { cause });
}
