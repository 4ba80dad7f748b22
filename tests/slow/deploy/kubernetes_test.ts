// The manifests applied to a real API server: every field is known, every reference has the right shape,
// and Kubernetes' own "restricted" rules for pods are kept.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ApiServer, hasApiServer } from "./api_server.ts";

const root = fromFileUrl(new URL("../../../", import.meta.url));
const ignore = !await hasApiServer();

Deno.test({
  name: "a real API server takes all manifests (needs infra/tools/install.sh slow)",
  ignore,
  async fn(test) {
    await using server = await ApiServer.start();
    const run = (command: string) => server.kubectl(`cd "$1"; ${command}`, root);
    await run("kubectl apply --server-side -f .topfive/crds");
    await run("kubectl wait --for=condition=Established crd --all --timeout=30s");
    await run("kubectl apply --server-side -f infra/kubernetes/example/namespace.yaml");
    const apply = "kubectl apply --validate=strict --server-side";

    await test.step("a dry run on the server finds nothing wrong, and warns of nothing", async () => {
      const printed = await run(
        `kustomize build infra/kubernetes/example | ${apply} --dry-run=server -f - 2>&1`,
      );
      assertMatch(printed, /deployment.apps\/topfive serverside-applied \(server dry run\)/);
      assertMatch(printed, /servicemonitor.monitoring.coreos.com\/topfive /);
      assertMatch(printed, /cronjob.batch\/topfive-retraining /);
      assertEquals(printed.toLowerCase().includes("warning"), false, printed);
    });

    await test.step("the pods that the controllers would make keep the restricted rules", async () => {
      await run(`kustomize build infra/kubernetes/example | ${apply} -f -`);
      for (
        const [kind, path] of [
          ["deployment/topfive", "{.spec.template}"],
          ["cronjob/topfive-retraining", "{.spec.jobTemplate.spec.template}"],
        ]
      ) {
        const template = JSON.parse(
          await run(`kubectl -n topfive get ${kind} -o jsonpath='${path}'`),
        );
        const pod = { apiVersion: "v1", kind: "Pod", ...template };
        pod.metadata = { ...template.metadata, name: "trial", namespace: "topfive" };
        await server.kubectl(
          'printf %s "$1" | kubectl create --validate=strict --dry-run=server -f -',
          JSON.stringify(pod),
        );
        pod.spec.containers[0].securityContext.allowPrivilegeEscalation = true;
        await assertRejects(
          () =>
            server.kubectl(
              'printf %s "$1" | kubectl create --dry-run=server -f -',
              JSON.stringify(pod),
            ),
          Error,
          "violates PodSecurity",
        );
      }
    });

    await test.step("the alert rules fit the operator's PrometheusRule", async () => {
      await run(
        "{ printf '%s\\n' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' " +
          "'metadata: {name: topfive, namespace: topfive}' 'spec:'; " +
          "sed 's/^/  /' infra/monitoring/rules.yml; } | " +
          `${apply} --dry-run=server -f -`,
      );
    });
  },
});
