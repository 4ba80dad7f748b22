// The bundle's one script: the service, or one of its workers, by the query of its own address.
switch (new URL(import.meta.url).searchParams.get("worker")) {
  case "decode_worker":
    await import("../../inference/workers/decode_worker.ts");
    break;
  case "run_worker":
    await import("../../inference/workers/run_worker.ts");
    break;
  case "follower_worker":
    await import("../../inference/lean/threads/follower_worker.ts");
    break;
  default:
    await (await import("../../inference/serve.ts")).main();
}
