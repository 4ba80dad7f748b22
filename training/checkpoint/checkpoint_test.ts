import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { createHash } from "node:crypto";
import { makeConfig } from "../config.ts";
import {
  type Checkpoint,
  type CheckpointOrigin,
  readCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";
import type { ScheduleState } from "../schedule.ts";
import { START } from "../training_state.ts";

const SCHEDULE: ScheduleState = { best: 0.25, epochsSinceBest: 2, drops: 1, finished: false };
const ORIGIN: CheckpointOrigin = {
  codeVersion: "0.1.0",
  config: makeConfig("lenet5", { learningRate: 0.1 + 0.2 }),
  adapter: "llvmpipe",
  tiles: { "Conv forward 3x9x9": "strip 8 24" },
  dataFingerprint: "ab12",
};
const CHECKPOINT: Checkpoint = {
  origin: ORIGIN,
  state: {
    step: 1234,
    loader: { epoch: 3, offset: 96 },
    epoch: { images: 96, loss: 0.1 + 0.2, top1Errors: 7, top5Errors: 1 },
    best: { epoch: 2, step: 900, top1Error: 1 / 3 },
    schedule: SCHEDULE,
  },
  parameters: new Map([
    ["conv1.weight", Float32Array.of(1, -0, 1e-45, 3.4028234663852886e38, -1.5)],
    ["conv1.bias", Float32Array.of(0.1)],
    ["empty", new Float32Array()],
  ]),
  momenta: new Map([
    ["conv1.weight", Float32Array.of(5, 4, 3, 2, 1)],
    ["conv1.bias", Float32Array.of(-7)],
    ["empty", new Float32Array()],
  ]),
};

async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(join(folder, "checkpoint"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A file of ours by its hash and length, whatever is in it. */
function sealed(header: string, numbers = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(header);
  const body = new Uint8Array(8 + text.length + numbers.length);
  new DataView(body.buffer).setBigUint64(0, BigInt(text.length), true);
  body.set(text, 8);
  body.set(numbers, 8 + text.length);
  return new Uint8Array([...body, ...createHash("sha256").update(body).digest()]);
}

Deno.test("readCheckpoint() gives back what saveCheckpoint() was given, to the bit", async () => {
  await withPath(async (path) => {
    saveCheckpoint(path, CHECKPOINT);
    const read = await readCheckpoint(path);
    assertEquals(read, CHECKPOINT);
    assert(Object.is(read.parameters.get("conv1.weight")![1], -0));
    assertEquals([...read.parameters.keys()], [...CHECKPOINT.parameters.keys()]);
  });
});

Deno.test("saveCheckpoint() writes views into larger arrays, and names beyond ASCII", async () => {
  await withPath(async (path) => {
    const arena = Float32Array.from({ length: 10 }, (_, i) => i);
    const parameters = new Map([["größe", arena.subarray(3, 6)]]);
    saveCheckpoint(path, { ...CHECKPOINT, parameters, momenta: new Map() });
    const read = await readCheckpoint(path);
    assertEquals(read.parameters, new Map([["größe", Float32Array.of(3, 4, 5)]]));
  });
});

Deno.test("readCheckpoint() refuses a file cut off anywhere", async () => {
  await withPath(async (path) => {
    saveCheckpoint(path, CHECKPOINT);
    const bytes = await Deno.readFile(path);
    for (let length = 0; length < bytes.length; length++) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      await assertRejects(
        () => readCheckpoint(path),
        SyntaxError,
        `Cannot read checkpoint ${path}`,
      );
    }
  });
});

Deno.test("readCheckpoint() refuses a file with any byte altered", async () => {
  await withPath(async (path) => {
    saveCheckpoint(path, CHECKPOINT);
    const bytes = await Deno.readFile(path);
    for (let i = 0; i < bytes.length; i += 7) {
      const altered = bytes.slice();
      altered[i]! ^= 1;
      await Deno.writeFile(path, altered);
      await assertRejects(() => readCheckpoint(path), SyntaxError, "it was truncated or altered");
    }
    await Deno.writeFile(path, new Uint8Array([...bytes, 0]));
    await assertRejects(() => readCheckpoint(path), SyntaxError, "it was truncated or altered");
  });
});

Deno.test("readCheckpoint() refuses what is no checkpoint, and says what is wrong", async () => {
  const header = {
    format: "topfive checkpoint 2",
    origin: ORIGIN,
    state: START,
    parameters: [{ name: "w", length: 2 }],
    momenta: [],
  };
  const foreign: [Uint8Array, string][] = [
    [new Uint8Array(), "it is too short"],
    [new TextEncoder().encode("PK\u0003\u0004".repeat(100)), "it was truncated or altered"],
    [sealed("weights"), "its header is not JSON"],
    [sealed("{}"), "its header's format"],
    [sealed(JSON.stringify({ ...header, format: "topfive checkpoint 3" })), "its header's format"],
    [sealed(JSON.stringify({ ...header, optimizer: "adam" })), "its header's"],
    [sealed(JSON.stringify(header)), "its numbers are not those of its header"],
    [sealed(JSON.stringify(header), new Uint8Array(12)), "its numbers are not those of its header"],
  ];
  await withPath(async (path) => {
    for (const [bytes, reason] of foreign) {
      await Deno.writeFile(path, bytes);
      await assertRejects(() => readCheckpoint(path), SyntaxError, reason);
    }
  });
});

Deno.test("readCheckpoint() refuses a header that claims to be longer than the file", async () => {
  const body = new Uint8Array(16);
  new DataView(body.buffer).setBigUint64(0, 2n ** 60n, true);
  const bytes = new Uint8Array([...body, ...createHash("sha256").update(body).digest()]);
  await withPath(async (path) => {
    await Deno.writeFile(path, bytes);
    await assertRejects(() => readCheckpoint(path), SyntaxError, "it has no header");
  });
});

Deno.test("saveCheckpoint() killed at any time leaves a whole checkpoint", async () => {
  await withPath(async (path) => {
    const module = fromFileUrl(new URL("checkpoint.ts", import.meta.url));
    // Each save is 8 MB, so that a kill falls into one.
    const script = `import { saveCheckpoint } from ${JSON.stringify(module)};
      const parameters = new Map([["w", new Float32Array(2_000_000)]]);
      const state = (step) => ({ ...${JSON.stringify(START)}, step });
      for (let step = 1; ; step++) {
        parameters.get("w").fill(step);
        const origin = ${JSON.stringify(ORIGIN)};
        const checkpoint = { origin, state: state(step), parameters, momenta: new Map() };
        saveCheckpoint(${JSON.stringify(path)}, checkpoint);
        if (step === 1) console.log("saved");
      }`;
    for (const milliseconds of [3, 11, 19, 27]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-check", script],
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
      const { state: { step }, parameters } = await readCheckpoint(path);
      assert(step >= 1);
      assert(parameters.get("w")!.every((value) => value === step), `step ${step} is a mixture`);
    }
  });
});
