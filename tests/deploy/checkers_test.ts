// What others wrote to find mistakes in files like those in infra/ finds none in ours. Each check is
// skipped by its name where its program is not there (infra/tools/install.sh lint brings them).
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));
const ACTIONLINT = ".topfive/bin/actionlint";
const CHECKERS = ".topfive/checkers/bin";

async function runs(command: string): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", command],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout) + text(stderr) };
}

/** A test that a command line ends well; `program` is what it needs. */
async function check(name: string, program: string, command: string): Promise<void> {
  const missing = (await runs(`command -v ${program}`)).code !== 0;
  Deno.test({
    name: `${name} (needs ${program})`,
    ignore: missing,
    async fn() {
      const { code, output } = await runs(command);
      assertEquals(code, 0, output);
    },
  });
}

await check(
  "hadolint finds nothing in the Containerfiles",
  `${CHECKERS}/hadolint`,
  `${CHECKERS}/hadolint infra/container/*.Containerfile`,
);
await check("actionlint finds nothing in the workflows", ACTIONLINT, ACTIONLINT);
await check(
  "zizmor finds nothing unsafe in the workflows",
  `${CHECKERS}/zizmor`,
  `${CHECKERS}/zizmor --offline --no-progress .github`,
);
await check(
  "every Kubernetes object fits its schema",
  `${CHECKERS}/kubernetes-validate`,
  // A kustomization is no object, and the ServiceMonitor's schema is its operator's: tests/slow has it.
  "ls infra/kubernetes/*/*.yaml | grep -v -e kustomization.yaml -e service_monitor.yaml | " +
    `xargs ${CHECKERS}/kubernetes-validate --strict --quiet -k 1.36`,
);
await check(
  "systemd reads the units, and finds them well confined",
  "systemd-analyze",
  // The programs are not installed here; every other complaint counts.
  "systemd-analyze verify infra/systemd/* 2>&1 | grep -v 'is not executable' && exit 1; " +
    "for unit in infra/systemd/*.service; do " +
    "systemd-analyze security --offline=true --threshold=30 --no-pager $unit || exit 1; done",
);
