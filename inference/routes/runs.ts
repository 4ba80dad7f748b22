import { Hono } from "hono";
import { z } from "zod";
import { parse, SafeName } from "../../shared/manifest.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { latestRunKey, runPageKey } from "../../shared/registry/keys.ts";
import type { ModelHost } from "../models/model_host.ts";

/** The page is one file of text and style: whatever else it should hold is not run or fetched. */
const POLICY = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const LatestSchema = z.looseObject({ run: SafeName });

/**
 * `GET /models/{model}/runs/{run}`: how a retraining went, as its page in the store says; "latest" is
 * the one that began last. Of the models that this service answers with, and of no others.
 */
export function runRoutes({ host, store }: { host: ModelHost; store: ObjectStore }): Hono {
  const routes = new Hono();
  routes.get("/models/:model/runs/:run", async (c) => {
    const { model, run } = c.req.param();
    if (!host.list().some(({ name }) => name === model)) return await c.notFound();
    if (run === "latest") {
      const object = await store.get(latestRunKey(model));
      if (object === null) return await c.notFound();
      const latest = parse("latest run", LatestSchema, new TextDecoder().decode(object.bytes));
      c.header("Cache-Control", "no-store");
      return c.redirect(`/models/${model}/runs/${latest.run}`);
    }
    if (!SafeName.safeParse(run).success) return await c.notFound();
    const page = await store.get(runPageKey(model, run));
    if (page === null) return await c.notFound();
    return c.body(page.bytes, 200, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": POLICY,
      "Cache-Control": "no-cache",
    });
  });
  return routes;
}
