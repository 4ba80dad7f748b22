/** A real Kubernetes API server with its etcd and nothing behind it: objects are checked and kept. */
import { fromFileUrl, join } from "@std/path";
import { openPort } from "../../object_store/port.ts";
import { shell } from "./container_engine.ts";

const PROGRAMS = fromFileUrl(new URL("../../../.topfive/bin/", import.meta.url));
const TOKEN = "not-a-secret";

export async function hasApiServer(): Promise<boolean> {
  const programs = ["etcd", "kube-apiserver", "kubectl", "kustomize"];
  const found = programs.map((name) =>
    Deno.stat(join(PROGRAMS, name)).then(() => true, () => false)
  );
  return (await Promise.all(found)).every(Boolean);
}

export class ApiServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #processes: Deno.ChildProcess[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<ApiServer> {
    const server = new ApiServer(await Deno.makeTempDir({ prefix: "topfive-apiserver-" }));
    const [client, peer, port] = [openPort(), openPort(), openPort()];
    const etcd = `http://127.0.0.1:${client}`;
    const folder = server.#folder;
    await Deno.writeTextFile(join(folder, "tokens"), `${TOKEN},test,test,system:masters\n`);
    await shell('openssl genrsa -out "$1" 2048 2>/dev/null', {}, join(folder, "key.pem"));
    server.#start("etcd", [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      "--unsafe-no-fsync",
    ]);
    server.#start("kube-apiserver", [
      `--etcd-servers=${etcd}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      `--cert-dir=${join(folder, "certificates")}`,
      `--service-account-key-file=${join(folder, "key.pem")}`,
      `--service-account-signing-key-file=${join(folder, "key.pem")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--token-auth-file=${join(folder, "tokens")}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
    ]);
    await server.#writeKubeconfig(`https://127.0.0.1:${port}`);
    await server.kubectl(
      "for i in $(seq 300); do kubectl get --raw /readyz && exit; sleep 0.2; done; exit 1",
    );
    return server;
  }

  /** Runs a shell's command line whose kubectl asks this server. */
  kubectl(command: string, ...args: string[]): Promise<string> {
    const env = {
      KUBECONFIG: join(this.#folder, "kubeconfig"),
      PATH: `${PROGRAMS}:${Deno.env.get("PATH")}`,
      HOME: this.#folder,
    };
    return shell(command, env, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.reverse()) {
      process.kill("SIGKILL");
      await process.status;
    }
    await Deno.remove(this.#folder, { recursive: true });
  }

  #start(program: string, args: string[]): void {
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", 'exec "$0" "$@"', join(PROGRAMS, program), ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#processes.push(child);
  }

  #writeKubeconfig(address: string): Promise<void> {
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      clusters: [{
        name: "test",
        // It signs its certificate itself, for this test.
        cluster: { server: address, "insecure-skip-tls-verify": true },
      }],
      users: [{ name: "test", user: { token: TOKEN } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    };
    return Deno.writeTextFile(join(this.#folder, "kubeconfig"), JSON.stringify(config));
  }
}
