import { answerTasks } from "../worker_pool.ts";
import { drawShape } from "./picture.ts";
import { encodePng } from "./png.ts";
import type { WriteTask } from "./write_shapes.ts";

/** Draws and writes the pictures of a task; answers with how many. */
answerTasks((task: WriteTask): number => {
  for (const { request, file } of task) {
    Deno.writeFileSync(file, encodePng(drawShape(request), request.side, request.side));
  }
  return task.length;
});
