// A thread of a lean session: does tasks of each run beside the thread that began it.
import { instantiateKernels } from "../kernels/load_kernels.ts";
import { perform, type Task } from "../step.ts";
import { Control, type ProgramPlace } from "./control.ts";
import { decodeTasks } from "./program.ts";

/** What a follower is given. */
export interface FollowerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the words lie by which the threads agree. */
  readonly controlAt: number;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<FollowerStart>) => void;
  postMessage(message: "joined"): void;
};

scope.onmessage = async ({ data: { module, memory, controlAt } }) => {
  const kernels = instantiateKernels(module, memory);
  const control = new Control(memory, controlAt);
  let program: { readonly version: number; readonly tasks: readonly Task[] } | undefined;
  let run = control.run;
  scope.postMessage("joined");
  for (;;) {
    run = await control.nextRun(run);
    const place = control.program;
    if (place && place.version !== program?.version) program = read(place);
    if (place && program) follow(program.tasks);
  }

  function read(place: ProgramPlace): typeof program {
    const numbers = new Float64Array(memory.buffer, place.at, place.numbers).slice();
    // The leader may have begun to write another one; its runs are for later.
    return control.program?.version === place.version
      ? { version: place.version, tasks: decodeTasks(numbers) }
      : undefined;
  }

  function follow(tasks: readonly Task[]): void {
    for (;;) {
      const limit = control.limit;
      const task = control.take(run);
      if (task >= 0) {
        try {
          perform(kernels, tasks[task]!);
        } catch {
          control.fail();
        }
        control.done();
      } else if (!control.awaitLimit(run, tasks.length, limit)) {
        return;
      }
    }
  }
};
