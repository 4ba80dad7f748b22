/** A real S3 server beside a real IAM service, both versitygw: users, their keys and their policies. */
import { AwsClient } from "aws4fetch";
import { join, resolve } from "@std/path";
import { openPort } from "../object_store/port.ts";
import { readS3Location } from "../../shared/object_store/s3/location.ts";
import { S3Store } from "../../shared/object_store/s3/s3_store.ts";

const PROGRAM = resolve(import.meta.dirname!, "../../.topfive/bin/versitygw");
const ROOT = { accessKeyId: "topfive-root", secretAccessKey: "not-a-secret" };

export interface UserKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class S3WithUsers implements AsyncDisposable {
  readonly #folder: string;
  readonly #iam: string;
  readonly #processes: Deno.ChildProcess[] = [];
  readonly endpoint: string;
  readonly bucket: string;

  private constructor(folder: string, bucket: string, iamPort: number, port: number) {
    this.#folder = folder;
    this.bucket = bucket;
    this.#iam = `http://127.0.0.1:${iamPort}`;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** Starts both with an empty bucket. */
  static async start(bucket: string): Promise<S3WithUsers> {
    const folder = await Deno.makeTempDir();
    for (const part of ["iam", "versions", `data/${bucket}`]) {
      await Deno.mkdir(join(folder, part), { recursive: true });
    }
    const server = new S3WithUsers(folder, bucket, openPort(), openPort());
    const socket = join(folder, "iam.sock");
    await server.#start(
      server.#iam,
      "iam",
      "--dir",
      join(folder, "iam"),
      "--private-ports",
      socket,
    );
    // The gateway looks for the IAM service as it starts.
    await server.#start(
      server.endpoint,
      ...["--iam-standalone-endpoint", socket, "--iam-cache-disable"],
      ...["posix", "--versioning-dir", join(folder, "versions"), join(folder, "data")],
    );
    return server;
  }

  /** A user with one policy, as `aws iam` makes them. */
  async createUser(name: string, policy: string): Promise<UserKey> {
    await this.#ask({ Action: "CreateUser", UserName: name });
    await this.#ask({
      Action: "PutUserPolicy",
      UserName: name,
      PolicyName: name,
      PolicyDocument: policy,
    });
    return await this.createKey(name);
  }

  async createKey(user: string): Promise<UserKey> {
    const answer = await this.#ask({ Action: "CreateAccessKey", UserName: user });
    const [, accessKeyId] = /<AccessKeyId>(.*?)</.exec(answer)!;
    const [, secretAccessKey] = /<SecretAccessKey>(.*?)</.exec(answer)!;
    return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
  }

  async deleteKey(user: string, { accessKeyId }: UserKey): Promise<void> {
    await this.#ask({ Action: "DeleteAccessKey", UserName: user, AccessKeyId: accessKeyId });
  }

  /** The bucket, or what is below `prefix`, as the holder of a key sees it; the owner when left out. */
  store(key: UserKey = ROOT, prefix = ""): S3Store {
    const variables: Record<string, string> = {
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_ENDPOINT_URL: this.endpoint,
    };
    const location = readS3Location(`s3://${this.bucket}/${prefix}`, {
      env: (name) => variables[name],
      readFile: () => undefined,
    });
    return new S3Store(location, { backoffMs: 5, timeoutMs: 5_000 });
  }

  /** A request that no store makes, of the bucket or of `path` in it; the owner's where no key is given. */
  async request(
    method: string,
    path: string,
    { key = ROOT, body }: { readonly key?: UserKey; readonly body?: string } = {},
  ): Promise<{ status: number; text: string }> {
    const client = new AwsClient({ ...key, service: "s3", region: "us-east-1", retries: 0 });
    const url = `${this.endpoint}/${this.bucket}${path}`;
    const answer = await client.fetch(url, { method, ...(body === undefined ? {} : { body }) });
    return { status: answer.status, text: await answer.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) {
      process.kill("SIGKILL");
      await process.status;
    }
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #start(url: string, ...args: string[]): Promise<void> {
    const child = new Deno.Command(PROGRAM, {
      args: ["--quiet", "--port", new URL(url).host, ...args],
      env: { ROOT_ACCESS_KEY: ROOT.accessKeyId, ROOT_SECRET_KEY: ROOT.secretAccessKey },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#processes.push(child);
    await answering(url);
  }

  async #ask(parameters: Record<string, string>): Promise<string> {
    const client = new AwsClient({ ...ROOT, service: "iam", region: "us-east-1", retries: 0 });
    const answer = await client.fetch(`${this.#iam}/`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Version: "2010-05-08", ...parameters }).toString(),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${parameters["Action"]}: ${answer.status} ${text}`);
    return text;
  }
}

async function answering(url: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    // The IAM service sends a browser to its maker.
    const answer = await fetch(url, { redirect: "manual" }).catch(() => null);
    await answer?.body?.cancel();
    if (answer !== null) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`Nothing answered at ${url} within 10 s`);
}
