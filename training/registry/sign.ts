import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { manifestKey, signaturePrefix } from "../../shared/registry/keys.ts";
import { keyIdOf, type ManifestSignature } from "../../shared/registry/signature.ts";

export interface SigningKey {
  readonly keyId: string;
  /** Base64 of the public key's 32 bytes: what services are told to trust. */
  readonly publicKey: string;
  readonly key: CryptoKey;
}

/** A new private key, PKCS #8 in PEM as `openssl genpkey -algorithm ed25519` writes it. */
export async function makeSigningKey(): Promise<string> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign"]);
  const { privateKey } = pair as CryptoKeyPair;
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return `-----BEGIN PRIVATE KEY-----\n${bytes.toBase64()}\n-----END PRIVATE KEY-----\n`;
}

/** @throws {SyntaxError} when the text is no Ed25519 private key in PEM. */
export async function readSigningKey(pem: string): Promise<SigningKey> {
  const base64 = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  try {
    const pkcs8 = Uint8Array.fromBase64((base64 ?? "").replace(/\s/g, ""));
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
    // Base64url of the public half, RFC 8037 section 2.
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const raw = Uint8Array.fromBase64(x!, { alphabet: "base64url" });
    return { keyId: await keyIdOf(raw), publicKey: raw.toBase64(), key };
  } catch (cause) {
    throw new SyntaxError(
      "Cannot read signing key: it is no Ed25519 private key in PEM (topfive models key makes one)",
      { cause },
    );
  }
}

/**
 * Signs a version's manifest as it is stored.
 *
 * @throws {RangeError} when the version is not published.
 */
export async function signVersion(
  store: ObjectStore,
  name: string,
  version: string,
  { keyId, key }: SigningKey,
): Promise<ManifestSignature> {
  const manifest = await store.get(manifestKey(name, version));
  if (manifest === null) {
    throw new RangeError(`Cannot sign ${name} ${version}: it is not published`);
  }
  const signature: ManifestSignature = {
    algorithm: "Ed25519",
    keyId,
    signature: new Uint8Array(await crypto.subtle.sign("Ed25519", key, manifest.bytes)).toBase64(),
    signedAt: new Date().toISOString(),
  };
  await store.put(
    `${signaturePrefix(name, version)}${keyId}.json`,
    new TextEncoder().encode(JSON.stringify(signature, null, 2) + "\n"),
  );
  return signature;
}
