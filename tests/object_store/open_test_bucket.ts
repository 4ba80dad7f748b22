import { readS3Location } from "../../shared/object_store/s3/location.ts";
import { S3Store } from "../../shared/object_store/s3/s3_store.ts";
import { S3_SECRET, S3_USER } from "./s3_server.ts";

export const TEST_BUCKET = "models";

interface Given {
  readonly prefix?: string;
  readonly bucket?: string;
  readonly secret?: string;
}

/** A bucket of a test's server, with little patience. */
export function openTestBucket(endpoint: string, given: Given = {}): S3Store {
  const { prefix = "", bucket = TEST_BUCKET, secret = S3_SECRET } = given;
  const variables: Record<string, string> = {
    AWS_ACCESS_KEY_ID: S3_USER,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_ENDPOINT_URL: endpoint,
  };
  const location = readS3Location(`s3://${bucket}/${prefix}`, {
    env: (name) => variables[name],
    readFile: () => undefined,
  });
  return new S3Store(location, { backoffMs: 5, timeoutMs: 1_000 });
}
