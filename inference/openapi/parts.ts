import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { PROBLEMS } from "../problem.ts";
import { Problem, ProtocolFailure } from "./answers.ts";

/** One operation of the document. */
export type Operation = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];

/** Encoded images and other bodies that are no text. */
export const Bytes = z.string().meta({ format: "binary" });

export const Model = z.object({ model: z.string() });

export function json(schema: z.ZodType) {
  return { "application/json": { schema } };
}

export function answer(description: string, schema: z.ZodType) {
  return { description, content: json(schema) };
}

/** Our own routes' errors: every status, each with the titles of its problems. */
export function problems(statuses: readonly number[]): Operation["responses"] {
  return Object.fromEntries(statuses.map((status) => {
    const titles = Object.values(PROBLEMS).filter((problem) => problem.status === status)
      .map(({ title }) => title);
    return [status, {
      description: titles.join("; "),
      content: { "application/problem+json": { schema: Problem } },
    }];
  }));
}

/** The Open Inference Protocol's errors. */
export function failures(statuses: readonly number[]): Operation["responses"] {
  return Object.fromEntries(
    statuses.map((status) => [status, answer("What went wrong", ProtocolFailure)]),
  );
}
