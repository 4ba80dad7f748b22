// Exits 0 when a model is ready to answer: the image has no curl.
const port = Deno.env.get("TOPFIVE_LISTEN_PORT") || "8000";
const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
Deno.exit(answer?.ok ? 0 : 1);
