// Image bytes to network inputs, in a worker that can be ended whatever a decoder does.
import { free } from "../../shared/free.ts";
import { answerTasks } from "./task_worker.ts";
import { type DecodeTask, makeInputs, type NetworkInputs } from "./make_inputs.ts";

answerTasks(async (task: DecodeTask, transfer): Promise<NetworkInputs> => {
  const inputs = await makeInputs(task);
  free(task.bytes);
  transfer.push(inputs.values.buffer);
  return inputs;
});
