import { Hono } from "hono";
import { ProblemError, PROBLEMS } from "../problem.ts";

/** `GET /problems/<name>`: what the `type` of an error answer means and what to do about it. */
export function problemRoutes(): Hono {
  return new Hono().get("/problems/:name", (c) => {
    const entry = Object.entries(PROBLEMS).find(([name]) => name === c.req.param("name"));
    if (entry === undefined) {
      throw new ProblemError("not-found", `Cannot answer GET ${c.req.path}: no such problem`);
    }
    const { status, title, help } = entry[1];
    return c.text(`${status} ${title}\n\n${help}\n`);
  });
}
