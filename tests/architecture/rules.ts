import type { Module } from "./module_graph.ts";

/**
 * What each part of the repository may import beside itself. The two streams, training and
 * inference, meet in shared alone.
 */
const PARTS: Record<string, readonly string[]> = {
  shared: [],
  training: ["shared"],
  inference: ["shared"],
  infra: ["shared", "training", "inference"],
  tests: ["shared", "training", "inference", "infra"],
};

/** npm packages that a part may not use: a web framework has no business in training. */
const FORBIDDEN_PACKAGES: Record<string, readonly RegExp[]> = {
  training: [/^hono$/, /^@hono\//],
  shared: [/^hono$/, /^@hono\//],
};

/**
 * The layers of training, top first; each may import those below it and itself. What is named
 * nowhere here (datasets, settings, ONNX files) is bound by the absence of cycles alone.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["main.ts", "commands"],
  ["pipeline"],
  ["trainer.ts", "evaluator.ts", "trainer", "evaluation", "explain", "gradcheck", "compress"],
  ["models"],
  ["tuner"],
  ["profile"],
  ["graph"],
  ["ops", "optimizers"],
  ["kernels"],
  ["gpu"],
];

/** Tests, benches and what they read stand beside the code but look at it from above. */
export function isTest(path: string): boolean {
  return /(_test|_bench)\.ts$/.test(path) || /(^tests|\/fixtures)\//.test(path);
}

function part(path: string): string {
  return path.split("/", 1)[0] ?? "";
}

function layer(path: string): number {
  const [folder, name = ""] = path.split("/");
  return folder === "training" ? LAYERS.findIndex((names) => names.includes(name)) : -1;
}

/** "conv" of training/ops/conv/…; undefined for what all operators share. */
function operator(path: string): string | undefined {
  return /^training\/ops\/([^/]+)\//.exec(path)?.[1];
}

/**
 * Imports from a part of the repository that the importing part may not know. A test beside the
 * code may read the fixtures in tests/; what needs two streams belongs there itself.
 */
export function crossedParts(modules: readonly Module[]): string[] {
  return violations(modules, (from, to) => {
    if (!(part(to) in PARTS)) return undefined;
    if (part(from) === part(to) || PARTS[part(from)]?.includes(part(to))) return undefined;
    if (isTest(from) && to.startsWith("tests/fixtures/")) return undefined;
    return `${part(from)} may not import ${part(to)}`;
  });
}

/** Imports inside training against the order of its layers. */
export function crossedLayers(modules: readonly Module[]): string[] {
  return violations(modules.filter(({ path }) => !isTest(path)), (from, to) => {
    if (layer(from) < 0 || layer(to) < 0 || layer(from) <= layer(to)) return undefined;
    return `${LAYERS[layer(from)]?.join(", ")} may not import ${LAYERS[layer(to)]?.join(", ")}`;
  });
}

/** Imports of one operator from another: what operators share lies in kernels/. */
export function crossedOperators(modules: readonly Module[]): string[] {
  return violations(modules.filter(({ path }) => !isTest(path)), (from, to) => {
    const [a, b] = [operator(from), operator(to)];
    return a && b && a !== b ? "an operator may not import another" : undefined;
  });
}

/** Packages used where they are forbidden, or named in the source in place of deno.json. */
export function wrongPackages(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, target }) => {
      if (/^(npm|jsr|https?):/.test(specifier)) {
        return [`${path} imports ${specifier}: name it in deno.json, at an exact version`];
      }
      const name = packageName(target);
      const forbidden = FORBIDDEN_PACKAGES[part(path)] ?? [];
      return name && forbidden.some((pattern) => pattern.test(name))
        ? [`${path} imports ${name}, which ${part(path)} may not use`]
        : [];
    })
  );
}

function packageName(target: string): string | undefined {
  return /^npm:\/?((?:@[^/]+\/)?[^@/]+)/.exec(target)?.[1];
}

/**
 * Groups of modules that run each other in a circle, each sorted by path. Types that go back, and a
 * Worker that knows the types of who starts it, are no circle: nothing runs before it is ready.
 */
export function cycles(modules: readonly Module[]): string[][] {
  const running = modules.map(({ path, imports }) => ({
    path,
    imports: imports.filter(({ use }) => use === "code"),
  }));
  const reached = new Map(running.map(({ path }) => [path, reachable(running, [path])]));
  const groups = new Map<string, string[]>();
  for (const [path, targets] of reached) {
    const group = [...targets].filter((other) => reached.get(other)?.has(path)).sort();
    if (group.length > 0) groups.set(group.join(), group);
  }
  return [...groups.values()];
}

/** Every module that `roots` import, directly or not; a root itself only where a circle leads back. */
export function reachable(modules: readonly Module[], roots: readonly string[]): Set<string> {
  const imports = new Map(modules.map((module) => [module.path, module.imports]));
  const reached = new Set<string>();
  const pending = [...roots];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const { target } of imports.get(path) ?? []) {
      if (reached.has(target) || !imports.has(target)) continue;
      reached.add(target);
      pending.push(target);
    }
  }
  return reached;
}

/** Modules of shared/ that one of the two streams never reaches. */
export function unshared(
  modules: readonly Module[],
  streams: Readonly<Record<string, readonly string[]>>,
): string[] {
  const shared = modules.map(({ path }) => path).filter((path) =>
    part(path) === "shared" && !isTest(path)
  );
  return Object.entries(streams).flatMap(([name, roots]) => {
    const reached = reachable(modules, roots);
    return shared.filter((path) => !reached.has(path)).map((path) => `${path} not from ${name}`);
  });
}

function violations(
  modules: readonly Module[],
  judge: (from: string, to: string) => string | undefined,
): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ target }) => {
      const verdict = judge(path, target);
      return verdict ? [`${path} imports ${target}: ${verdict}`] : [];
    })
  );
}
