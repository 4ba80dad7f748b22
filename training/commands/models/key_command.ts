import { makeSigningKey, readSigningKey } from "../../registry/sign.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";

const HELP = `Makes a key that signs models, or shows the public half of one that is there

Usage: topfive models key FILE

  FILE     a private key, Ed25519 in PEM; made, readable by you alone, where it is not there

Standard output is the public key, which services are told to trust.

Example
  topfive models key signing.pem`;

export function modelsKeyCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models key", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): string {
  const { positionals: [path, ...others] } = readArguments("make key", args, {});
  if (path === undefined || others.length > 0) {
    throw new SyntaxError("Cannot make key: expected one FILE");
  }
  return path;
}

async function run(path: string): Promise<number> {
  try {
    // Only created, never replaced: a lost key cannot sign again.
    await Deno.writeTextFile(path, await makeSigningKey(), { createNew: true, mode: 0o600 });
    console.error(`made ${path}: keep it secret, and keep a copy`);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { publicKey, keyId } = await readSigningKey(await Deno.readTextFile(path));
  console.error(`key ${keyId}`);
  console.log(publicKey);
  return 0;
}
