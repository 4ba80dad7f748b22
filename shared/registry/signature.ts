/** Who vouches for a manifest, and through it for the weights whose hash it has: Ed25519. */
import { z } from "zod";
import { parse } from "../manifest.ts";
import type { ObjectStore } from "../object_store/object_store.ts";
import { signaturePrefix } from "./keys.ts";

const SignatureSchema = z.strictObject({
  algorithm: z.literal("Ed25519"),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  /** Of the manifest's bytes, base64. */
  signature: z.base64(),
  signedAt: z.iso.datetime(),
});

export type ManifestSignature = z.infer<typeof SignatureSchema>;

/** A public key and the name by which signatures refer to it. */
export interface VerifyingKey {
  readonly keyId: string;
  readonly key: CryptoKey;
}

/**
 * Reads a public key: the 32 bytes of Ed25519 in base64.
 *
 * @throws {SyntaxError} when it is none.
 */
export async function readVerifyingKey(base64: string): Promise<VerifyingKey> {
  try {
    const raw = Uint8Array.fromBase64(base64.trim());
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return { keyId: await keyIdOf(raw), key };
  } catch (cause) {
    throw new SyntaxError(
      "Cannot read public key: it is not 32 bytes of Ed25519 in base64 " +
        "(topfive models key prints one)",
      { cause },
    );
  }
}

/** The first half of the SHA-256 of a public key's bytes, in part: enough to find it among a few. */
export async function keyIdOf(raw: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  return digest.subarray(0, 8).toHex();
}

/** No trusted key signed a version; somebody may still do so. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";
}

/** A version's signatures, as they are stored; none of them is believed yet. */
export async function readSignatures(
  store: ObjectStore,
  name: string,
  version: string,
): Promise<ManifestSignature[]> {
  const signatures: ManifestSignature[] = [];
  for await (const { key } of store.list(signaturePrefix(name, version))) {
    const object = await store.get(key);
    if (object === null) continue;
    signatures.push(parse("signature", SignatureSchema, new TextDecoder().decode(object.bytes)));
  }
  return signatures;
}

/**
 * Requires that one of the keys signed exactly these bytes as the manifest of a version.
 *
 * @throws {UntrustedError} when none did.
 */
export async function requireSignature(
  store: ObjectStore,
  manifest: { readonly name: string; readonly version: string; readonly bytes: Uint8Array },
  keys: readonly VerifyingKey[],
): Promise<void> {
  const { name, version } = manifest;
  const signatures = await readSignatures(store, name, version);
  const bytes = new Uint8Array(manifest.bytes);
  for (const { keyId, signature } of signatures) {
    const key = keys.find((known) => known.keyId === keyId)?.key;
    if (
      key && await crypto.subtle.verify("Ed25519", key, Uint8Array.fromBase64(signature), bytes)
    ) {
      return;
    }
  }
  const signers = signatures.map(({ keyId }) => keyId).join(", ");
  throw new UntrustedError(
    `Cannot trust ${name} ${version}: ${
      signers ? `it is signed by ${signers}, not validly by a trusted key` : "nobody signed it"
    } (topfive models sign, or trust another key)`,
  );
}
