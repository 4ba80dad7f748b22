// Both images, built by Docker from Debian without a registry, and run as confined as production's.
import { assertEquals, assertLess } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { fixture } from "../../../inference/fixtures/colours.ts";
import { coloursStore } from "../../../inference/fixtures/colours_store.ts";
import { makeApiKey } from "../../../inference/middleware/api_keys.ts";
import { openPort } from "../../object_store/port.ts";
import { ContainerEngine, hasPrograms } from "./container_engine.ts";

const root = fromFileUrl(new URL("../../../", import.meta.url));
const BASE = "topfive-test/deno:2.9.6";
const CONFINED = "--read-only --cap-drop ALL --security-opt no-new-privileges";
const ignore = Deno.uid() !== 0 || !await hasPrograms("docker", "dockerd", "debootstrap");

Deno.test({
  name: "the images build, serve and train as an unprivileged user on a read-only root " +
    "(needs root, docker.io and debootstrap)",
  ignore,
  async fn(test) {
    await using engine = await ContainerEngine.start();
    await engine.makeBaseImage(BASE);
    const build = (name: string, tag: string, ...options: string[]) =>
      engine.docker(
        'docker build --network host --build-arg "DENO_IMAGE=$1" -f "$2" -t "$3" ${5:-} "$4"',
        ...[BASE, join(root, `infra/container/${name}.Containerfile`), tag, root, ...options],
      );
    await test.step("the service answers in 512 MB, says that it is well, and ends on SIGTERM", async () => {
      await build("service", "topfive");
      const size = Number(await engine.docker("docker image inspect -f '{{.Size}}' topfive"));
      assertLess(size, 150e6);
      await serve(engine);
    });
    await test.step("retraining promotes a model, without a network", async () => {
      await build("training", "topfive-training", "--build-arg=DRIVERS=mesa-vulkan-drivers");
      await train(engine);
    });
  },
});

async function serve(engine: ContainerEngine): Promise<void> {
  await using store = await coloursStore();
  await Deno.chmod(store.folder, 0o755);
  const port = openPort();
  const { key, sha256 } = makeApiKey();
  const id = (await engine.docker(
    `docker run -d --network host --memory 512m ${CONFINED} ` +
      '-e "TOPFIVE_LISTEN_PORT=$1" -e "TOPFIVE_API_KEYS=$2" -v "$3:/models:ro" topfive',
    ...[String(port), `test:classify:${sha256}`, store.folder],
  )).trim();
  const until = "for i in $(seq 150); do " +
    `[ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ] && exit; sleep 0.2; ` +
    'done; docker logs "$1"; exit 1';
  await engine.docker(until, id);
  const body = await fixture("blue.jpg");
  const url = `http://127.0.0.1:${port}/v1/classify`;
  const answer = await fetch(url, { method: "POST", body, headers: { "X-API-Key": key } });
  assertEquals((await answer.json()).predictions[0].label, "blue");
  assertEquals(await engine.docker('docker exec "$1" /usr/bin/deno --version >&2', id), "");
  await engine.docker('docker stop "$1"', id);
  assertEquals(
    (await engine.docker(`docker inspect -f '{{.State.ExitCode}}' "$1"`, id)).trim(),
    "0",
  );
}

async function train(engine: ContainerEngine): Promise<void> {
  const runs = await Deno.makeTempDir({ prefix: "topfive-runs-" });
  try {
    await Deno.chmod(runs, 0o777);
    const run = (args: string) =>
      engine.docker(
        `docker run --rm --network none ${CONFINED} --tmpfs /tmp -v "$1:/runs" topfive-training ${args} 2>&1`,
        runs,
      );
    await run("data make /runs/images --train 400 --validation 10 --test 0");
    // As if people had brought them; the container's user reads and writes the store.
    await Deno.mkdir(join(runs, "store/incoming"), { recursive: true });
    await Deno.rename(join(runs, "images/train"), join(runs, "store/incoming/shapes"));
    const settings = {
      training: { epochs: 1 },
      gate: { minTestImages: 10, maxTop1Error: 1, maxTop5Error: 1 },
    };
    await Deno.writeTextFile(join(runs, "settings.json"), JSON.stringify(settings));
    await engine.docker('chown -R 65532:65532 "$1"', runs);
    await run(
      "retrain shapes --store /runs/store --model alexnet-small --work /runs/work " +
        "--config /runs/settings.json",
    );
    const champion = join(runs, "store/models/shapes/aliases/champion.json");
    assertEquals(JSON.parse(await Deno.readTextFile(champion)).move, 1);
  } finally {
    await Deno.remove(runs, { recursive: true });
  }
}
