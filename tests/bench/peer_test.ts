import { assertEquals, assertRejects } from "@std/assert";
import { NotHere, Peer, type PeerCommand } from "./peer.ts";

/** A peer written as one expression, which has `say` and, in `line`, what it is asked. */
function peerThat(greets: string, answers = ""): PeerCommand {
  const code = `
    const say = (document) => console.log(JSON.stringify(document));
    ${greets};
    const { createInterface } = await import("node:readline");
    for await (const line of createInterface(process.stdin)) { ${answers} }`;
  return { program: Deno.execPath(), args: ["eval", "--no-config", "--no-lock", code] };
}
const GREETS = `say({ hello: "peer 1.0" })`;

Deno.test("Peer answers requests one after another, past what its libraries print", async () => {
  const answers = `console.log("a library says so"); say({ result: JSON.parse(line) * 2 })`;
  const peer = await Peer.start(peerThat(GREETS, answers));
  assertEquals(peer.greeting, "peer 1.0");
  assertEquals([await peer.ask<number>(4, 20), await peer.ask<number>(5, 20)], [8, 10]);
  await peer.close();
});

Deno.test("Peer.start() says why a peer is not here", async () => {
  for (
    const [command, why] of [
      [peerThat(`say({ notHere: "no module named torch" })`), "no module named torch"],
      [peerThat(`throw new Error("broken")`), "Error: broken"],
      [{ program: "no-such-program", args: [] }, "cannot start no-such-program"],
    ] as const
  ) {
    const error = await assertRejects(() => Peer.start(command), NotHere);
    assertEquals(error.message.includes(why), true, error.message);
  }
});

Deno.test("Peer.ask() passes on a failure, an end and a silence", async () => {
  for (
    const [answers, why] of [
      [`say({ error: "out of memory" })`, "out of memory"],
      [`console.error("killed"); process.exit(9)`, "killed"],
      [``, "no answer in 1 s"],
    ] as const
  ) {
    const peer = await Peer.start(peerThat(GREETS, answers));
    const error = await assertRejects(() => peer.ask({}, 1), NotHere);
    assertEquals(error.message, why);
    await peer.close();
  }
});
