import { join } from "@std/path";
import { DirectoryStore } from "../../../shared/object_store/directory.ts";
import { openTestBucket, TEST_BUCKET } from "../../object_store/open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "../../object_store/s3_server.ts";
import type { Published } from "./networks.ts";

/** A bucket of a local server with a network in all its forms. */
export interface Bucket extends AsyncDisposable {
  readonly address: string;
  /** What a process needs to open it. */
  readonly env: Record<string, string>;
}

/** Nothing where there is no S3 server (./topfive test builds it where Go is installed). */
export async function bucketOf({ store: folder }: Published): Promise<Bucket | undefined> {
  if (!hasS3Server) return undefined;
  const server = await S3Server.start(TEST_BUCKET);
  const bucket = openTestBucket(server.endpoint);
  const store = new DirectoryStore(folder);
  for await (const { key } of store.list("")) {
    await bucket.put(key, await Deno.readFile(join(folder, key)));
  }
  return {
    address: `s3://${TEST_BUCKET}`,
    env: {
      AWS_ACCESS_KEY_ID: S3_USER,
      AWS_SECRET_ACCESS_KEY: S3_SECRET,
      AWS_ENDPOINT_URL: server.endpoint,
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
