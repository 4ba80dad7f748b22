import { assert, assertEquals } from "@std/assert";
import { resolve } from "@std/path";
import { emptyStore } from "./fixtures/colours_store.ts";
import { ENVIRONMENT, readConfig } from "./config.ts";
import { npmCacheFolder, permissionFlags } from "./permissions.ts";

/** The code of the service, which its workers are started from. */
const SOURCES = [".", "../shared"].map((folder) => resolve(import.meta.dirname!, folder)).join(",");

function flagsFor(...args: string[]): string[] {
  return permissionFlags(readConfig(args, () => undefined), "/cache/npm");
}

Deno.test("permissionFlags() gives read of store and packages, one address, the settings", () => {
  assertEquals(flagsFor("--store", "/srv/models", "--port", "9000"), [
    "--no-prompt",
    `--allow-read=/srv/models,/cache/npm,${SOURCES}`,
    "--allow-net=127.0.0.1:9000",
    "--allow-sys=systemMemoryInfo",
    `--allow-env=${ENVIRONMENT.join(",")},IMAGESCRIPT_WASM_SIMD`,
    "--v8-flags=--max-semi-space-size=1",
  ]);
});

Deno.test("permissionFlags() lets weights be written to their cache and nowhere else", () => {
  const flags = flagsFor("--store", "/srv/models", "--weights-cache", "/var/cache/topfive");
  assertEquals(flags[1], `--allow-read=/srv/models,/var/cache/topfive,/cache/npm,${SOURCES}`);
  assertEquals(
    flags.filter((flag) => flag.startsWith("--allow-write")),
    ["--allow-write=/var/cache/topfive"],
  );
  assertEquals(flagsFor().some((flag) => flag.startsWith("--allow-write")), false);
});

Deno.test("permissionFlags() allows native code for onnxruntime-node alone, in its own folder", () => {
  const folder = resolve(import.meta.dirname!, "../.topfive/onnxruntime-node");
  const flags = flagsFor("--runtime", "onnxruntime-node");
  assertEquals(flags.filter((flag) => flag.startsWith("--allow-ffi")), [`--allow-ffi=${folder}`]);
  assert(flags[1]!.includes(folder));
  assertEquals(flagsFor().some((flag) => flag.startsWith("--allow-ffi")), false);
});

Deno.test("permissionFlags() makes a relative store absolute and knows file addresses", () => {
  const read = (store: string) => flagsFor("--store", store)[1];
  assertEquals(read("models"), `--allow-read=${Deno.cwd()}/models,/cache/npm,${SOURCES}`);
  assertEquals(
    read("file:///srv/my%20models"),
    `--allow-read=/srv/my models,/cache/npm,${SOURCES}`,
  );
});

Deno.test("permissionFlags() of a bucket gives its address and variables, no folder", () => {
  const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  for (const name of keys) Deno.env.set(name, "x");
  try {
    const [, read, net, , variables] = flagsFor("--store", "s3://pets/a?region=eu-west-1");
    assertEquals(read, `--allow-read=/cache/npm,${SOURCES}`);
    assertEquals(net, "--allow-net=127.0.0.1:8000,pets.s3.eu-west-1.amazonaws.com:443");
    assert(keys.every((name) => variables!.includes(name)));
    const own = flagsFor("--store", "s3://pets?endpoint=http://127.0.0.1:7070")[2];
    assertEquals(own, "--allow-net=127.0.0.1:8000,127.0.0.1:7070");
  } finally {
    for (const name of keys) Deno.env.delete(name);
  }
});

Deno.test("permissionFlags() gives the hosts to fetch from, and none that cannot be read", () => {
  const net = (hosts: string) => flagsFor("--fetch-hosts", hosts)[2];
  assertEquals(
    net("images.example.org,*.cdn.example.org:8443"),
    "--allow-net=127.0.0.1:8000,images.example.org:443,*.cdn.example.org:8443",
  );
  assertEquals(net("https://example.org"), "--allow-net=127.0.0.1:8000");
});

Deno.test("permissionFlags() allows to write corrections alone, in a folder, where they are taken", () => {
  const write = (...args: string[]) => flagsFor(...args).filter((flag) => flag.includes("write"));
  assertEquals(write("--store", "/srv/models"), []);
  assertEquals(write("--store", "/srv/models", "--feedback"), [
    "--allow-write=/srv/models/incoming",
  ]);
  assertEquals(write("--store", "s3://pets/a?region=eu-west-1", "--feedback"), []);
});

Deno.test("permissionFlags() keeps the process from any other host, also by its number", async () => {
  const flags = flagsFor("--fetch-hosts", "images.example.org,*.cdn.example.org");
  const hosts = {
    "images.example.org:443": "granted",
    "a.b.cdn.example.org:443": "granted",
    "images.example.org:80": "prompt",
    "notimages.example.org:443": "prompt",
    "example.org:443": "prompt",
    "93.184.216.34:443": "prompt",
    "169.254.169.254:80": "prompt",
  };
  const program = `console.log(JSON.stringify(Object.fromEntries(${
    JSON.stringify(Object.keys(hosts))
  }.map((host) => [host, Deno.permissions.querySync({ name: "net", host }).state]))))`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `data:text/javascript,${encodeURIComponent(program)}`],
  }).output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), hosts);
});

Deno.test("permissionFlags() writes an IPv6 address as Deno reads it", () => {
  assertEquals(flagsFor("--host", "::1")[2], "--allow-net=[::1]:8000");
});

Deno.test("npmCacheFolder() is where this process reads its packages from", async () => {
  const folder = await npmCacheFolder();
  assert((await Deno.stat(folder)).isDirectory, folder);
});

Deno.test("what permissionFlags() gives lets nobody read elsewhere, write, run, connect or load", async () => {
  await using store = await emptyStore();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const config = readConfig(["--store", store.folder, "--port", String(port)], () => undefined);
  const program = resolve(import.meta.dirname!, "fixtures/break_out.ts");
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...permissionFlags(config, await npmCacheFolder()), program],
      ...[store.folder, `127.0.0.1:${port}`],
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(JSON.parse(text), ["read the store", "listen"], new TextDecoder().decode(stderr));
});
