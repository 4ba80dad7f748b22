/**
 * The peer's side of `peer.ts`: greets, then answers every request of standard input, errors too. It
 * needs no package: some peers run without the workspace's.
 */
export async function answerRequests<Request, Result>(
  hello: string,
  answer: (request: Request) => Promise<Result>,
): Promise<void> {
  const say = (document: unknown) => console.log(JSON.stringify(document));
  say({ hello });
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      try {
        say({ result: await answer(JSON.parse(line)) });
      } catch (error) {
        say({ error: (error as Error).message });
      }
    }
  }
}
