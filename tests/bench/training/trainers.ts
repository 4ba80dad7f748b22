/** Who takes part: our trainer and its peers, each in a process of its own. */
import { DENO_FLAGS } from "../deno_program.ts";
import type { PeerCommand } from "../peer.ts";
import type { NetName } from "./step_protocol.ts";

export interface Trainer {
  /** A row of the table. */
  readonly name: string;
  readonly command: PeerCommand;
  /** The others have no step on any adapter, or none in minutes. */
  readonly nets: "all" | readonly NetName[];
  /** A figure that takes longer is none, whatever the bench allows. */
  readonly limitSeconds?: number;
}

/** On a software driver the libraries of the web may need minutes for a step: name that and go on. */
const WEB_LIMIT_SECONDS = 40;

/** What libraries of the web can train here: fc6 of AlexNet is too large to bind for them. */
const SMALL: readonly NetName[] = ["cifar10-18pct", "lenet5"];

export const TOPFIVE: Trainer = {
  name: "topfive",
  command: denoProgram("topfive.ts"),
  nets: "all",
};

/** The same with tensors stored as float16; without a figure where the adapter has no shader-f16. */
export const TOPFIVE_F16: Trainer = {
  name: "topfive f16",
  command: denoProgram("topfive.ts", "f16"),
  nets: "all",
};

/** PyTorch on the CPU in one form, the one that ratios are of. */
export function pytorch(python: string, device: "cpu" | "cuda", mode: string): Trainer {
  const script = new URL("../pytorch/steps.py", import.meta.url).pathname;
  return {
    name: `PyTorch ${device} ${mode}`,
    command: { program: python, args: [script, device, mode] },
    nets: "all",
  };
}

export function peers(python: string): Trainer[] {
  return [
    pytorch(python, "cpu", "float32"),
    pytorch(python, "cpu", "channels-last"),
    pytorch(python, "cpu", "bf16"),
    pytorch(python, "cuda", "float32"),
    pytorch(python, "cuda", "tf32"),
    pytorch(python, "cuda", "half"),
    {
      name: "tfjs webgpu",
      command: denoProgram("tfjs.ts"),
      nets: SMALL,
      limitSeconds: WEB_LIMIT_SECONDS,
    },
    {
      name: "jax-js webgpu",
      command: denoProgram("jax_js.ts"),
      nets: SMALL,
      limitSeconds: WEB_LIMIT_SECONDS,
    },
  ];
}

/** The libraries of the web are no packages of this project: Deno fetches them as they run. */
function denoProgram(file: string, ...args: string[]): PeerCommand {
  const script = new URL(file, import.meta.url).pathname;
  return {
    program: Deno.execPath(),
    // All rights: /proc, which knows the most memory used, is given for no less.
    args: ["run", "--quiet", ...DENO_FLAGS, "--allow-all", script, ...args],
  };
}
