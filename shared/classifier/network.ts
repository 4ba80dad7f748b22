import type { InferenceSession } from "onnxruntime-web";
import type { InputSize } from "./preprocess_file.ts";

/** What an ONNX file says about itself, once it is known to be an image classifier. */
export interface Network {
  readonly input: { readonly name: string; readonly batch: number } & InputSize;
  readonly output: { readonly name: string; readonly classes: number | null };
}

type Value = InferenceSession.ValueMetadata;

/**
 * Reads the inputs and outputs of an ONNX file that the engine has loaded.
 *
 * @param output the output to take where there are several
 * @throws {RangeError} when it is no image classifier that can be served: the message says why.
 */
export function readNetwork(
  session: Pick<InferenceSession, "inputMetadata" | "outputMetadata">,
  output?: string,
): Network {
  return {
    input: readInput(session.inputMetadata),
    output: readOutput(session.outputMetadata, output),
  };
}

function readInput(inputs: readonly Value[]): Network["input"] {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    throw refusal(`it has ${inputs.length} inputs, ${list(inputs)} (expected one image)`);
  }
  if (!input.isTensor || input.type !== "float32" || input.shape.length !== 4) {
    throw refusal(
      `its input is ${describe(input)} (expected float32 [batch, channels, side, side])`,
    );
  }
  const [batch, channels, height, width] = input.shape;
  if (typeof batch === "number" && batch > 1) {
    throw refusal(`it takes batches of ${batch} alone (expected 1 or any)`);
  }
  if (channels !== 1 && channels !== 3) {
    throw refusal(
      `its input is ${describe(input)}: 1 or 3 channels are expected behind the batch ` +
        "(export the model with the channels first, NCHW)",
    );
  }
  if (typeof height !== typeof width || (typeof height === "number" && height !== width)) {
    throw refusal(`its input is ${height} x ${width} (expected a square)`);
  }
  return {
    name: input.name,
    batch: typeof batch === "number" ? batch : -1,
    channels,
    side: typeof height === "number" ? height : null,
  };
}

function readOutput(outputs: readonly Value[], wanted: string | undefined): Network["output"] {
  const output = wanted === undefined ? outputs[0] : outputs.find(({ name }) => name === wanted);
  if (output === undefined) throw refusal(`it has no output ${wanted}, but ${list(outputs)}`);
  if (wanted === undefined && outputs.length > 1) {
    throw refusal(`it has several outputs, ${list(outputs)} (name one with --output)`);
  }
  // Some networks keep the 1 x 1 of their last pooling: [batch, classes, 1, 1].
  const scores = output.isTensor && output.type === "float32" && output.shape.length >= 2 &&
    output.shape.slice(2).every((size) => size === 1);
  if (!scores) {
    throw refusal(`its output is ${describe(output)} (expected float32 [batch, classes])`);
  }
  const classes = output.shape[1];
  return { name: output.name, classes: typeof classes === "number" ? classes : null };
}

function list(values: readonly Value[]): string {
  return values.map(describe).join(" and ");
}

function describe(value: Value): string {
  return value.isTensor ? `${value.name} ${value.type} [${value.shape.join(", ")}]` : value.name;
}

function refusal(reason: string): RangeError {
  return new RangeError(`Cannot use the model: ${reason}`);
}
