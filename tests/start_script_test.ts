// The start script in a project folder of its own, run as a user would. Set-up by npm and apt-get is
// what a fresh machine sees and is run there; here everything that needs no network is.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const script = fromFileUrl(new URL("../topfive", import.meta.url));

/** A command of the made-up project that prints what it was given. */
const ECHO = `console.log(JSON.stringify({
  args: Deno.args,
  cwd: Deno.cwd(),
  runtime: Deno.env.get("XDG_RUNTIME_DIR"),
  deno: Deno.execPath(),
}));`;

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

interface Project {
  folder: string;
  run(args: string[], env?: Record<string, string>, cwd?: string): Promise<Run>;
}

/** A folder with the script, a lock file without packages and a training command, path with a space. */
async function withProject(body: (project: Project) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "top five " });
  try {
    await Deno.copyFile(script, join(folder, "topfive"));
    await Deno.writeTextFile(join(folder, "deno.json"), "{}");
    await Deno.writeTextFile(join(folder, "deno.lock"), '{ "version": "5" }');
    await Deno.mkdir(join(folder, "training"));
    await Deno.writeTextFile(join(folder, "training/main.ts"), ECHO);
    await body({
      folder,
      run: async (args, env = {}, cwd = folder) => {
        const output = await new Deno.Command("/bin/sh", {
          args: [join(folder, "topfive"), ...args],
          cwd,
          clearEnv: true,
          env: { PATH: "/usr/bin:/bin", HOME: folder, DENO: Deno.execPath(), ...env },
        }).output();
        const [stdout, stderr] = [output.stdout, output.stderr]
          .map((bytes) => new TextDecoder().decode(bytes));
        return { code: output.code, stdout: stdout ?? "", stderr: stderr ?? "" };
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("topfive without a command lists the commands and sets nothing up", async () => {
  await withProject(async ({ folder, run }) => {
    for (const args of [[], ["--help"], ["help"]]) {
      const { code, stdout } = await run(args, { DENO: "/nowhere" });
      assertEquals(code, 0);
      for (const command of ["demo", "test", "doctor", "train", "serve"]) {
        assertMatch(stdout, new RegExp(`^  ${command} `, "m"));
      }
    }
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert(!names.includes(".topfive"), "the help made a folder");
  });
});

Deno.test("topfive passes arguments and the caller's folder on to a command", async () => {
  await withProject(async ({ folder, run }) => {
    const args = ["train", "--data", "my images", "--name", "*", ""];
    const { code, stdout, stderr } = await run(args, {}, "/");
    assertEquals(code, 0, stderr);
    const seen = JSON.parse(stdout);
    assertEquals(seen.args, args);
    assertEquals(seen.cwd, "/");
    assertEquals(seen.runtime, join(folder, ".topfive/run"));
    assertEquals(Deno.statSync(seen.runtime).mode! & 0o777, 0o700);
  });
});

Deno.test("topfive leaves what the user set alone", async () => {
  await withProject(async ({ run }) => {
    const { stdout, stderr } = await run(["data"], { XDG_RUNTIME_DIR: "/tmp" });
    assertEquals(JSON.parse(stdout || "{}").runtime, "/tmp", stderr);
  });
});

Deno.test("topfive sets up once, and again when the lock file is younger", async () => {
  await withProject(async ({ folder, run }) => {
    const stamp = join(folder, ".topfive/setup");
    await run(["data"]);
    const first = Deno.statSync(stamp).ino;
    await run(["data"]);
    assertEquals(Deno.statSync(stamp).ino, first, "the second start set up again");
    const later = new Date(Date.now() + 60_000);
    await Deno.utime(join(folder, "deno.lock"), later, later);
    await run(["data"]);
    assert(Deno.statSync(stamp).ino !== first, "a new lock file was not looked at");
  });
});

Deno.test("topfive refuses a Deno of another version", async () => {
  await withProject(async ({ folder, run }) => {
    const other = join(folder, "deno");
    await Deno.writeTextFile(other, "#!/bin/sh\necho deno 1.0.0\n", { mode: 0o755 });
    const { code, stdout, stderr } = await run(["train"], { DENO: other });
    assertEquals(code, 1);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `Cannot use DENO=${other}: not Deno ${Deno.version.deno}`);
  });
});

Deno.test("topfive ignores another Deno on PATH and says what it needs to install one", async () => {
  await withProject(async ({ folder, run }) => {
    // Only what the script itself calls: neither npm nor curl, and a Deno of another version.
    const bin = join(folder, "bin");
    await Deno.mkdir(bin);
    for (const tool of ["cat", "cut", "dirname", "find", "head", "mkdir", "mv", "tail"]) {
      await Deno.symlink(`/usr/bin/${tool}`, join(bin, tool));
    }
    await Deno.writeTextFile(join(bin, "deno"), "#!/bin/sh\necho deno 1.0.0\n", { mode: 0o755 });
    const { code, stderr } = await run(["train"], { DENO: "", PATH: bin });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "install Node.js or curl");
  });
});
