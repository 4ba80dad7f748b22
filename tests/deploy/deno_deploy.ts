/**
 * Deno Deploy as its pages describe it (docs.deno.com/deploy/reference/runtime, read 2026-11): the entry
 * and the memory of deno.json's "deploy", all permissions, settings by variables. And, harder than
 * there, no disk to write on.
 */
import { fromFileUrl } from "@std/path";
import settings from "../../deno.json" with { type: "json" };
import { S3_SECRET, S3_USER } from "../object_store/s3_server.ts";
import { openPort, type RunningService, startService } from "./running_service.ts";

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
/** Mounting needs root; containers and CI have it. */
export const canConfine = Deno.uid() === 0;

const { entrypoint, memoryLimit } = settings.deploy.runtime;
export const ENTRY = fromFileUrl(new URL(`../../${entrypoint}`, import.meta.url));
const CONFINED = fromFileUrl(new URL("confined.sh", import.meta.url));

/** Arguments of /bin/sh that run `deno ARGS` without a disk and in the memory of deno.json. */
export function confine(...args: string[]): string[] {
  return [CONFINED, String(memoryLimit), Deno.execPath(), ...args];
}

/** What Deno itself needs of this machine's variables. */
export function hostVariables(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Starts the service and waits until it is ready. */
export function startOnDeploy(env: Record<string, string>): Promise<RunningService> {
  const port = openPort();
  const serve = ["serve", "--allow-all", "--unstable-cron", "--cached-only"];
  return startService(
    "/bin/sh",
    confine(...serve, "--host", "127.0.0.1", "--port", String(port), ENTRY),
    {
      port,
      env: {
        ...hostVariables(),
        ...CREDENTIALS,
        TOPFIVE_DRAIN: "4",
        TOPFIVE_LOG_JSON: "true",
        ...env,
      },
    },
  );
}

/** Runs `work` with a key to the tests' bucket in this process's variables. */
export async function withCredentials<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const [name, value] of Object.entries(CREDENTIALS)) Deno.env.set(name, value);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(CREDENTIALS)) Deno.env.delete(name);
  }
}
