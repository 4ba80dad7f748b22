/** infra/bucket's policies, each given to a user of a real IAM service. */
import { S3WithUsers, type UserKey } from "./s3_with_users.ts";

export const ROLES = ["server", "feedback", "trainer"] as const;
export type Role = typeof ROLES[number];

const POLICIES = new URL("../../infra/bucket/policies/", import.meta.url);

async function policyOf(role: Role, bucket: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(`${role}.json`, POLICIES));
  return text.replaceAll("${bucket}", bucket);
}

/** A server with an empty bucket and a user for each role. */
export async function startWithRoles(): Promise<
  { server: S3WithUsers; keys: Record<Role, UserKey> }
> {
  const server = await S3WithUsers.start("some-models");
  const keys = await Promise.all(ROLES.map(async (role) => [
    role,
    await server.createUser(role, await policyOf(role, server.bucket)),
  ]));
  return { server, keys: Object.fromEntries(keys) };
}
