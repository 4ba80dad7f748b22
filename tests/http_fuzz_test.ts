// The real service against requests that no decent client sends. Ten thousand: tests/slow/http_fuzz_test.ts.
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { coloursStore } from "../inference/fixtures/colours_store.ts";
import { fixture } from "../inference/fixtures/colours.ts";
import { ServiceProcess } from "../inference/trial/service_process.ts";
import { makeInput } from "./http_fuzz/requests.ts";
import { fuzz } from "./http_fuzz/run.ts";

const red = await fixture("red.png");

Deno.test("topfive serve takes 270 malformed requests without a fault, and goes on answering", async () => {
  await using store = await coloursStore();
  await using service = await ServiceProcess.start(["--store", store.folder]);
  const url = await service.ready(30_000);
  const { statuses, faults } = await fuzz(url, 270, (number) => makeInput(1, number, red), red);
  assertEquals(faults, [], JSON.stringify(statuses));
  // A generator that makes nothing but rubbish, or nothing of it, would prove little.
  for (const status of ["200", "400", "404", "405"]) assertEquals(status in statuses, true, status);
});

Deno.test("topfive serve answers 408 to bodies that drip, and holds nothing of them", async () => {
  await using store = await coloursStore();
  const args = ["--store", store.folder, "--body-timeout", "1"];
  await using service = await ServiceProcess.start(args);
  const port = Number(new URL(await service.ready(30_000)).port);
  const head = "POST /v1/classify HTTP/1.1\r\nHost: x\r\n";
  const drip = async (framing: string, piece: string) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const write = (text: string) => connection.write(new TextEncoder().encode(text));
    await write(`${head}${framing}\r\n\r\n`);
    const started = performance.now();
    const timer = setInterval(() => void write(piece).catch(() => {}), 50);
    // The answer, before what is still sent meets a closed connection.
    const buffer = new Uint8Array(4096);
    const length = await connection.read(buffer);
    clearInterval(timer);
    connection.close();
    const answer = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    assertMatch(answer, /^HTTP\/1\.1 408 /);
    assertMatch(answer, /"\/problems\/slow-body"/);
    assertLess(performance.now() - started, 3000);
  };
  await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) =>
        i % 2 === 0
          ? drip("Content-Length: 100000", "x")
          : drip("Transfer-Encoding: chunked", "1\r\nx\r\n"),
    ),
  );
  const good = await fetch(`http://127.0.0.1:${port}/v1/classify`, { method: "POST", body: red });
  assertEquals((await good.json()).predictions[0].label, "red");
});
