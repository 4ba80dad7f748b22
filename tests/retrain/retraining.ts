/** A bucket, and `topfive retrain` on it as a scheduler calls it. */
import { openStore } from "../../shared/object_store/open_store.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { S3_SECRET, S3_USER, S3Server } from "../object_store/s3_server.ts";
import { TEST_BUCKET } from "../object_store/open_test_bucket.ts";
import { TopfiveProcess } from "../topfive_process.ts";

const VARIABLES = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };

export interface Outcome {
  readonly state: string;
  readonly worked: boolean;
  readonly reasons: readonly string[];
  readonly run: { readonly run: string; readonly version: string | null };
}

export class Retraining implements AsyncDisposable {
  readonly #server: S3Server;
  readonly address: string;
  readonly store: ObjectStore;
  readonly folder: string;

  private constructor(server: S3Server, folder: string) {
    this.#server = server;
    this.folder = folder;
    this.address = `s3://${TEST_BUCKET}/team?endpoint=${server.endpoint}`;
    this.store = openStore(this.address);
  }

  /** Starts a real S3 server; programs that are started find its keys in the environment. */
  static async start(): Promise<Retraining> {
    for (const [name, value] of Object.entries(VARIABLES)) Deno.env.set(name, value);
    return new Retraining(await S3Server.start(TEST_BUCKET), await Deno.makeTempDir());
  }

  /** `topfive COMMAND MODEL --store …` */
  begin(command: string, model: string, ...args: string[]): TopfiveProcess {
    const words = [...command.split(" "), model, "--store", this.address, ...args];
    return new TopfiveProcess(this.folder, words);
  }

  /** Retrains to the end, and gives the exit code and what it says. */
  async retrain(model: string, ...args: string[]): Promise<{ code: number; outcome: Outcome }> {
    await using process = this.begin("retrain", model, "--json", ...args);
    const { code, stdout, stderr } = await process.finished();
    const last = stdout.trim().split("\n").at(-1);
    if (!last) throw new Error(`topfive retrain said nothing, code ${code}: ${stderr}`);
    return { code, outcome: JSON.parse(last) };
  }

  async readJson<Value>(key: string): Promise<Value> {
    const object = await this.store.get(key);
    if (object === null) throw new Error(`there is no ${key}`);
    return JSON.parse(new TextDecoder().decode(object.bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of Object.keys(VARIABLES)) Deno.env.delete(name);
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
