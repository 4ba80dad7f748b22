/** Tasks as numbers in memory, where other threads read them. @module */
import { KERNELS } from "../kernels/load_kernels.ts";
import type { Call, Task } from "../step.ts";

/** For each task: the number of its calls, then of each call the kernel, the number of parameters, these. */
export function encodeTasks(tasks: readonly Task[]): Float64Array {
  const numbers: number[] = [];
  for (const task of tasks) {
    numbers.push(task.length);
    for (const { kernel, parameters } of task) {
      numbers.push(KERNELS.indexOf(kernel), parameters.length, ...parameters);
    }
  }
  return Float64Array.from(numbers);
}

export function decodeTasks(numbers: Float64Array): Task[] {
  const tasks: Task[] = [];
  for (let at = 0; at < numbers.length;) {
    const calls: Call[] = [];
    for (let left = numbers[at++]!; left > 0; left--) {
      const [kernel, length] = [numbers[at]!, numbers[at + 1]!];
      const parameters = [...numbers.subarray(at + 2, at + 2 + length)];
      calls.push({ kernel: KERNELS[kernel]!, parameters });
      at += 2 + length;
    }
    tasks.push(calls);
  }
  return tasks;
}
