import type { ObjectBody } from "../object_store.ts";
import type { S3Client, S3Reply } from "./client.ts";
import { readXml } from "./xml.ts";
import { S3Error } from "./s3_error.ts";

/**
 * Bytes of a part. S3's least is 5 MiB and its most parts are 10,000: objects up to 80 GB. Two in
 * flight took 165 MB at the peak for 244 MB, where one request took 1 GB (measured 2026-11).
 */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 2;

/**
 * Uploads in parts and gives the answer to the last request, which makes the object appear at once
 * and carries the conditions. An upload that fails is aborted: its parts would cost money for ever.
 */
export async function putMultipart(
  client: S3Client,
  key: string,
  parts: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Promise<S3Reply & { readonly etag: string | undefined }> {
  const begun = await client.send({ method: "POST", key, query: { uploads: "" } });
  const uploadId = readXml(await begun.response.text()).child("UploadId")!.text;
  try {
    const etags = await uploadParts(client, key, uploadId, parts);
    const body = new TextEncoder().encode(
      `<CompleteMultipartUpload>${
        etags.map((etag, index) =>
          `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`
        ).join("")
      }</CompleteMultipartUpload>`,
    );
    const query = { uploadId };
    const reply = await client.send({
      method: "POST",
      key,
      query,
      headers,
      body,
      expect: [409, 412, 404],
    });
    const answer = await reply.response.text();
    if (!reply.response.ok) {
      await client.send({ method: "DELETE", key, query, expect: [404] });
      return { ...reply, etag: undefined };
    }
    // S3 says 200 before it has put the parts together, and may still report an error then.
    const result = readXml(answer);
    if (result.name !== "Error") return { ...reply, etag: result.child("ETag")?.text };
    throw new S3Error(`Cannot write ${key}`, {
      status: 200,
      code: result.child("Code")?.text ?? "",
      message: result.child("Message")?.text ?? "",
    });
  } catch (error) {
    await client.send({ method: "DELETE", key, query: { uploadId }, expect: [404] }).catch(
      () => {},
    );
    throw error;
  }
}

async function uploadParts(
  client: S3Client,
  key: string,
  uploadId: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<string[]> {
  const etags: string[] = [];
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  for await (const body of parts) {
    const index = etags.push("") - 1;
    const query = { partNumber: String(index + 1), uploadId };
    const upload = client.send({ method: "PUT", key, query, body }).then(
      async ({ response }) => {
        await response.body?.cancel();
        etags[index] = response.headers.get("etag") ?? "";
      },
    ).catch((error) => failure ??= error).finally(() => inFlight.delete(upload));
    inFlight.add(upload);
    if (inFlight.size === PARTS_IN_FLIGHT) await Promise.race(inFlight);
    if (failure !== undefined) break;
  }
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
  return etags;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** A body in pieces of `PART_BYTES`, the last one shorter; views of bytes, copies of a stream. */
export async function* partsOf(body: ObjectBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length || at === 0; at += PART_BYTES) {
      yield body.subarray(at, at + PART_BYTES);
    }
    return;
  }
  let part = new Uint8Array(PART_BYTES);
  let filled = 0;
  let any = false;
  for await (let chunk of body) {
    while (chunk.length > 0) {
      const taken = Math.min(chunk.length, PART_BYTES - filled);
      part.set(chunk.subarray(0, taken), filled);
      filled += taken;
      chunk = chunk.subarray(taken);
      if (filled < PART_BYTES) continue;
      yield part;
      any = true;
      part = new Uint8Array(PART_BYTES);
      filled = 0;
    }
  }
  if (filled > 0 || !any) yield part.subarray(0, filled);
}
