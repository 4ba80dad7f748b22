import { Hono } from "hono";

/**
 * Swagger UI's own files, from the package: the page asks nothing of any other host. Literal
 * addresses, so that a bundler can find them.
 */
const FILES = [
  {
    name: "swagger-ui.css",
    type: "text/css; charset=utf-8",
    address: () => import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
  },
  {
    name: "swagger-ui-bundle.js",
    type: "text/javascript; charset=utf-8",
    address: () => import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
  },
];

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page", validatorUrl: null });`;

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>topfive: the interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Swagger UI writes style attributes; scripts come from here alone. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** With a package that nothing else needs. */
async function describe(): Promise<object> {
  return (await import("./document.ts")).openApiDocument();
}

/** `GET /openapi.json`, and `GET /docs` to try it. */
export function openApiRoutes(): Hono {
  const routes = new Hono();
  let document: Promise<object> | undefined;
  routes.get("/openapi.json", async (c) => c.json(await (document ??= describe())));
  routes.get("/docs", (c) => c.html(PAGE, 200, { "Content-Security-Policy": POLICY }));
  routes.get("/docs/start.js", (c) => c.body(START, 200, { "Content-Type": "text/javascript" }));
  for (const { name, type, address } of FILES) {
    routes.get(`/docs/${name}`, async (c) => {
      const file = await Deno.readFile(new URL(address()));
      return c.body(file, 200, { "Content-Type": type, "Cache-Control": "max-age=86400" });
    });
  }
  return routes;
}
