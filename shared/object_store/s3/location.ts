/** Where a bucket is and who asks: an `s3://` address and the usual AWS variables and profiles. */
import { parse as parseIni } from "ini";
import { join } from "node:path";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Location {
  /** `https://host[:port]`, without a bucket. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Ends with "/", or is "". */
  readonly prefix: string;
  /** Whether the bucket is the first part of the path; else it is the first label of the host. */
  readonly pathStyle: boolean;
  readonly credentials: S3Credentials;
}

export interface S3Environment {
  env(name: string): string | undefined;
  /** The file's text, or undefined when there is none. */
  readFile(path: string): string | undefined;
}

/** The variables that are read, for naming Deno's permissions. */
export const S3_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ENDPOINT_URL_S3",
  "AWS_ENDPOINT_URL",
  "AWS_PROFILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_CONFIG_FILE",
  "HOME",
] as const;

/** Rules of Amazon's buckets, which are the strictest, and underscores, which old ones have. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;
const OPTIONS = ["endpoint", "region", "profile"];

/**
 * Reads `s3://bucket[/prefix][?endpoint=…&region=…&profile=…]`. What the address leaves out comes
 * from the variables, then from the profile in `~/.aws/config` and `~/.aws/credentials`.
 *
 * @throws {SyntaxError} when the address cannot be read.
 * @throws {Error} when there are no credentials.
 */
export function readS3Location(address: string, environment: S3Environment): S3Location {
  const refuse = (reason: string) =>
    new SyntaxError(
      `Cannot open object store "${address}": ${reason} ` +
        `(expected s3://bucket/prefix, or s3://bucket/prefix?endpoint=https://host&region=name)`,
    );
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.port !== "") throw refuse("it is not an address");
  const bucket = url.hostname;
  if (!BUCKET.test(bucket)) throw refuse(`"${bucket}" is no name of a bucket`);
  const unknown = [...url.searchParams.keys()].find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw refuse(`there is no option ${unknown}`);

  const { env } = environment;
  const profile = readProfile(url.searchParams.get("profile") ?? env("AWS_PROFILE"), environment);
  const region = url.searchParams.get("region") ?? env("AWS_REGION") ??
    env("AWS_DEFAULT_REGION") ?? profile["region"] ?? "us-east-1";
  const custom = url.searchParams.get("endpoint") ?? env("AWS_ENDPOINT_URL_S3") ??
    env("AWS_ENDPOINT_URL") ?? profile["endpoint_url"];
  const endpoint = URL.parse(custom ?? `https://s3.${region}.amazonaws.com`);
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol)) {
    throw refuse(`"${custom}" is no http or https address`);
  }
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return {
    endpoint: endpoint.origin,
    region,
    bucket,
    prefix: path === "" ? "" : `${path}/`,
    // Stores with an address of their own rarely have a name for every bucket, and a bucket with a
    // dot breaks the certificate of the host that begins with it.
    pathStyle: custom !== undefined || bucket.includes("."),
    credentials: readCredentials(address, profile, env),
  };
}

/** Where profiles are kept: the config, then the credentials. */
export function profileFiles(env: S3Environment["env"]): [config: string, credentials: string] {
  const folder = join(env("HOME") ?? "/", ".aws");
  return [
    env("AWS_CONFIG_FILE") ?? join(folder, "config"),
    env("AWS_SHARED_CREDENTIALS_FILE") ?? join(folder, "credentials"),
  ];
}

type Profile = Readonly<Record<string, string>>;

function readProfile(
  name: string | undefined,
  { env, readFile }: S3Environment,
): Profile {
  const section = (path: string, title: string): Profile =>
    parseIni(readFile(path) ?? "")[title] ?? {};
  const profile = name ?? "default";
  const [config, credentials] = profileFiles(env);
  const found = {
    ...section(config, profile === "default" ? "default" : `profile ${profile}`),
    ...section(credentials, profile),
  };
  if (name !== undefined && Object.keys(found).length === 0) {
    throw new Error(
      `Cannot use AWS profile "${name}": neither ${config} nor ${credentials} has it`,
    );
  }
  return found;
}

function readCredentials(
  address: string,
  profile: Profile,
  env: S3Environment["env"],
): S3Credentials {
  // Variables win over a profile as a whole: a key of one and a secret of the other never fit.
  const source: Profile = env("AWS_ACCESS_KEY_ID") === undefined ? profile : {
    aws_access_key_id: env("AWS_ACCESS_KEY_ID")!,
    aws_secret_access_key: env("AWS_SECRET_ACCESS_KEY") ?? "",
    aws_session_token: env("AWS_SESSION_TOKEN") ?? "",
  };
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = source;
  if (!accessKeyId || !secretAccessKey) {
    throw new Error(
      `Cannot open object store "${address}": there are no credentials ` +
        `(set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)`,
    );
  }
  const sessionToken = source["aws_session_token"];
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
