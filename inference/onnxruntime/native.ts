import type { InferenceSession } from "onnxruntime-web";
import { createRequire } from "node:module";
import { join } from "@std/path";
import type { Session, SessionManifest } from "../workers/session.ts";
import { type Engine, openNetwork, SESSION_OPTIONS } from "./network_session.ts";
import { nativeFolder } from "./native_folder.ts";
import { rewriteLrn } from "./rewrite_lrn.ts";
import { splitWeights, WEIGHTS_FILE } from "./split_weights.ts";
import { readWeightsFile, type WeightsFile } from "./weights_file.ts";

/** What is used of the package `onnxruntime-node`, which has onnxruntime-web's types. */
interface Native {
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: InferenceSession.SessionOptions,
    ): Promise<InferenceSession>;
  };
  readonly Tensor: Engine["Tensor"];
}

/**
 * A session on onnxruntime-node: the processor's own instructions, 2 to 3 times as fast as
 * WebAssembly. The package is not among the locked ones, because it brings 290 MB of programs for
 * five platforms: `./topfive add onnxruntime-node` installs it into the project's state folder, and
 * the process needs Deno's `--allow-ffi` for that folder.
 *
 * Throws as `openNetwork` does, and an Error where the package is not installed.
 */
export async function openNativeSession(
  weights: Uint8Array | WeightsFile,
  manifest: SessionManifest,
  { threads }: { readonly threads: number },
): Promise<Session> {
  const { InferenceSession, Tensor } = loadNative();
  return await openNetwork({
    runtime: "onnxruntime-node",
    create: async () => {
      const data = weights instanceof Uint8Array ? weights : await readWeightsFile(weights);
      const graph = splitWeights(data, (model) => model.graph && rewriteLrn(model.graph));
      return await InferenceSession.create(graph, {
        ...SESSION_OPTIONS,
        executionProviders: ["cpu"],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        externalData: [{ path: WEIGHTS_FILE, data }],
      });
    },
    Tensor,
  }, manifest);
}

function loadNative(): Native {
  const folder = nativeFolder();
  try {
    // Asked first: the search for a missing package goes up to folders that Deno may not read.
    Deno.statSync(join(folder, "node_modules", "onnxruntime-node"));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(
      `Cannot run on onnxruntime-node: it is not installed in ${folder} ` +
        "(run: ./topfive add onnxruntime-node)",
      { cause },
    );
  }
  return createRequire(join(folder, "package.js"))("onnxruntime-node");
}
