import { ROOT } from "./deno_program.ts";

/** What bench:gpu needs on a machine without network, and how to bring it there. */
export async function filesToCarry(): Promise<string> {
  const program = await Deno.realPath(Deno.execPath());
  const { size } = await Deno.stat(program);
  const flags = "--no-config --no-lock --no-check --import-map=deno.json";
  return `bench:gpu on a machine without network needs four things in one folder:

  1. this repository           git archive HEAD: 6 MB
  2. .topfive/carry/deno       Deno ${Deno.version.deno} for the machine's processor
                               (${program}: ${Math.round(size / 1e6)} MB, a third of it by xz)
  3. .topfive/carry/deno-dir   the npm packages that it uses: 21 MB
  4. PyTorch with CUDA         optional, of that machine or carried: --python; without it there is
                               nothing to compare with. tfjs and jax-js need the network, and say so

Here, in ${ROOT}:

  mkdir -p .topfive/carry && cp ${program} .topfive/carry/deno
  DENO_DIR=$PWD/.topfive/carry/deno-dir deno cache ${flags} \\
    $(git ls-files 'training/*.ts' 'tests/bench/*.ts')

There, in the folder:

  export DENO_DIR=$PWD/.topfive/carry/deno-dir XDG_RUNTIME_DIR=/tmp
  .topfive/carry/deno run ${flags} --cached-only --allow-all \\
    tests/bench/gpu.ts --python python3 | tee card.txt`;
}
