import { createHash, timingSafeEqual } from "node:crypto";
import { ProblemError } from "./problem.ts";

/**
 * Requires `Authorization: Bearer <key>` with a key whose SHA-256 is known; without any known key
 * nobody may. Compared in constant time.
 *
 * @param hashes SHA-256 in hexadecimal, separated by commas
 * @throws {ProblemError} `unauthorized` without a key, `forbidden` with a wrong one.
 */
export function requireAdmin(authorization: string | undefined, hashes: string): void {
  const known = hashes.split(",").map((hash) => hash.trim()).filter((hash) => hash !== "");
  if (known.length === 0) {
    throw new ProblemError("forbidden", "Cannot do this: no admin key is set up (--admin-keys)");
  }
  const key = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  if (key === undefined) {
    throw new ProblemError("unauthorized", "Cannot do this without an admin key", {
      headers: { "WWW-Authenticate": "Bearer" },
    });
  }
  const given = createHash("sha256").update(key).digest();
  const matches = known.filter((hash) => {
    const expected = Uint8Array.fromHex(hash);
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (matches.length === 0) throw new ProblemError("forbidden", "Cannot do this with that key");
}
