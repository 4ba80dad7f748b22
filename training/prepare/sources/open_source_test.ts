import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodeRecord } from "../../../shared/image/preprocess.ts";
import { openDataset } from "../../dataset/open_dataset.ts";
import { readMnist } from "../../dataset/mnist.ts";
import { readRecord } from "../../dataset/record_source.ts";
import { withFiles } from "../../fixtures/with_files.ts";
import { prepare } from "../prepare.ts";
import { openSource } from "./open_source.ts";

const settings = {
  seed: 1,
  validationShare: 0,
  testShare: 0,
  shardBytes: 1e6,
  maxPixels: 1e8,
};
const data = fromFileUrl(new URL("../../../../shared/data/", import.meta.url));
const noData = await Deno.stat(data).then(() => false, () => true);
const photos = join(data, "imagenet-samples/original");

async function shell(cwd: string, script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("/bin/sh", { args: ["-ec", script], cwd })
    .output();
  assert(success, new TextDecoder().decode(stderr));
}

/** A record of CIFAR: labels, then all red, all green, all blue. */
const cifarRecord = (labels: number[], [r, g, b]: [number, number, number]) => [
  ...labels,
  ...new Array(1024).fill(r),
  ...new Array(1024).fill(g),
  ...new Array(1024).fill(b),
];

const cifar10 = {
  "batches.meta.txt": "airplane\ncat\n\n",
  ...Object.fromEntries(
    [1, 2, 3, 4, 5].map((i) => [
      `data_batch_${i}.bin`,
      Uint8Array.from([...cifarRecord([0], [i, 2, 3]), ...cifarRecord([1], [9, i, 250])]),
    ]),
  ),
  "test_batch.bin": Uint8Array.from(cifarRecord([1], [200, 100, 50])),
};

Deno.test("prepare() reads CIFAR-10's files and the archive of them alike, as RGB of 32 pixels", async () => {
  const inner = Object.fromEntries(
    Object.entries(cifar10).map(([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes]),
  );
  await withFiles(inner, async (folder) => {
    await shell(folder, "tar -czf cifar-10-binary.tar.gz cifar-10-batches-bin");
    const prints: string[] = [];
    for (const source of [`${folder}/cifar-10-batches-bin`, `${folder}/cifar-10-binary.tar.gz`]) {
      const out = join(folder, `out${prints.length}`);
      const { report, side } = await prepare({ source, folder: out, settings });
      assertEquals([report.source, side, report.images.train, report.images.test], [
        "CIFAR",
        32,
        10,
        1,
      ]);
      const index = JSON.parse(await Deno.readTextFile(join(out, "index.json")));
      assertEquals(index.classes, ["airplane", "cat"]);
      assertEquals(index.statistics.mean, [6, 2.5, 126.5]);
      prints.push(index.fingerprint);
    }
    assertEquals(prints[0], prints[1]);
    const found = await openSource(folder, { workFolder: await Deno.makeTempDir() });
    assertEquals(found.images.length, 11);
  });
});

Deno.test("openSource() reads CIFAR-100's fine labels, names a cut record and refuses a wrong label", async () => {
  const files = {
    "fine_label_names.txt": "apple\nbear\n",
    "train.bin": Uint8Array.from([
      ...cifarRecord([19, 1], [1, 2, 3]),
      ...cifarRecord([0, 0], [1, 2, 3]).slice(0, 100),
    ]),
    "test.bin": Uint8Array.from(cifarRecord([1, 0], [1, 2, 3])),
  };
  await withFiles(files, async (folder) => {
    const { images, refused } = await openSource(folder, { workFolder: folder });
    assertEquals(images.map(({ label, split }) => [label, split]), [[1, "train"], [0, "test"]]);
    assertEquals(refused, [{ file: "train.bin/1", reason: "train.bin is cut off in it" }]);
    await Deno.writeFile(
      join(folder, "test.bin"),
      Uint8Array.from(cifarRecord([1, 2], [1, 2, 3])),
    );
    await assertRejects(
      () => openSource(folder, { workFolder: folder }),
      SyntaxError,
      "test.bin/0 has label 2 (expected 0 to 1)",
    );
  });
});

Deno.test("openSource() says that packed data are damaged", async () => {
  const packed = gzipSync(new Uint8Array(5000)).subarray(0, 20);
  await withFiles({ "cifar-10-binary.tar.gz": packed }, async (folder) => {
    await assertRejects(
      () => openSource(folder, { workFolder: folder }),
      SyntaxError,
      "Cannot unpack cifar-10-binary.tar.gz",
    );
  });
});

/** The first images of MNIST's two files and their labels, as IDX files packed like it. */
async function mnistOf(train: number, test: number): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [part, count] of [["train", train], ["t10k", test]] as const) {
    for (const [kind, rank, bytes] of [["images", 3, 784], ["labels", 1, 1]] as const) {
      const name = `${part}-${kind}-idx${rank}-ubyte.gz`;
      const whole = gunzipSync(await Deno.readFile(join(data, "mnist", name)));
      const cut = new Uint8Array(whole.subarray(0, 4 + 4 * rank + count * bytes));
      new DataView(cut.buffer).setUint32(4, count);
      files[`in/${name}`] = gzipSync(cut);
    }
  }
  return files;
}

Deno.test({
  name:
    "prepare() of MNIST gives the records, labels and splits of readMnist() (needs shared/data)",
  ignore: noData,
  async fn() {
    await withFiles(await mnistOf(5300, 200), async (folder) => {
      const source = join(folder, "in");
      await prepare({ source, folder: join(folder, "out"), settings });
      const ours = await openDataset(join(folder, "out"));
      const theirs = await readMnist(source);
      assertEquals([ours.side, ours.channels, ours.classes], [28, 1, theirs.classes]);
      for (const split of ["validation", "test"] as const) {
        assertEquals(ours[split]!.labels.length, theirs[split]!.labels.length);
        for (const i of [0, 123, 199]) {
          assertEquals(ours[split]!.labels[i], theirs[split]!.labels[i]);
          assertEquals(readRecord(ours[split]!.source, i), readRecord(theirs[split]!.source, i));
        }
        ours[split]!.source.close?.();
      }
      assertEquals(ours.train.count, 300);
      assertEquals(ours.train.labels.toSorted(), theirs.train.labels.toSorted());
    });
  },
});

Deno.test("openSource() reads lists of CSV and JSONL alike, and refuses paths that lead out", async () => {
  const files = {
    "a.csv":
      `split,file,label\ntrain,x/1.png,10\nval,"x/2, b.png",9\n,../up.png,9\n,/etc/p.png,9\n`,
    "b.jsonl": [
      { path: "x/1.png", label: 10, split: "train" },
      { path: "x/2, b.png", label: 9, split: "validation" },
      { path: "../up.png", label: 9 },
      { path: "/etc/p.png", label: 9 },
    ].map((row) => JSON.stringify(row)).join("\n\n"),
  };
  await withFiles(files, async (folder) => {
    for (const name of Object.keys(files)) {
      const { classes, images, refused } = await openSource(join(folder, name), {
        workFolder: folder,
      });
      assertEquals(classes, ["9", "10"]);
      assertEquals(images.map(({ file, label, split }) => [file, label, split]), [
        ["x/1.png", 1, "train"],
        ["x/2, b.png", 0, "validation"],
      ]);
      assertEquals(refused.map(({ file }) => file), ["../up.png", "/etc/p.png"]);
    }
  });
});

Deno.test("openSource() says what is wrong with a list", async () => {
  const cases: [string, string, string][] = [
    ["a.csv", "name,label\nx.png,1\n", "row 1 of a.csv has no path"],
    ["a.csv", "path,label\nx.png,\n", "row 1 of a.csv has no label"],
    ["a.csv", "path,label,split\nx.png,1,dev\n", "split dev (expected train, validation or test)"],
    ["a.jsonl", '{"path":"x","label":1}\n{"path"\n', "line 2 of a.jsonl is no JSON"],
  ];
  for (const [name, text, message] of cases) {
    await withFiles({ [name]: text }, async (folder) => {
      const open = () => openSource(join(folder, name), { workFolder: folder });
      await assertRejects(open, SyntaxError, message);
    });
  }
});

/** The development kit's order is not the alphabet's. */
const SYNSETS = ["n01629819 salamander", "n01440764 tench", "n09999999 never seen"];

/** ILSVRC-2012 in small: real photographs in archives as they are distributed. */
async function withIlsvrc(run: (folder: string) => Promise<void>): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(photos), ({ name }) => name)).sort();
  const files: Record<string, Uint8Array | string> = {
    "synsets.txt": SYNSETS.join("\n"),
    "ILSVRC2012_validation_ground_truth.txt": "2\n1\n2\n",
  };
  const read = (i: number) => Deno.readFileSync(join(photos, names[i]!));
  for (let i = 0; i < 6; i++) {
    const synset = i < 3 ? "n01440764" : "n01629819";
    files[`${synset}/${synset}_${i}.JPEG`] = read(i);
  }
  for (let i = 0; i < 3; i++) files[`ILSVRC2012_val_0000000${i + 1}.JPEG`] = read(6 + i);
  await withFiles(files, async (folder) => {
    await shell(
      folder,
      `for s in n01629819 n01440764; do tar -C $s -cf $s.tar . ; done
       tar -cf ILSVRC2012_img_train.tar n01629819.tar n01440764.tar
       tar -cf ILSVRC2012_img_val.tar ILSVRC2012_val_*.JPEG`,
    );
    await run(folder);
  });
}

Deno.test({
  name: "prepare() reads ILSVRC-2012's archives where they lie (needs shared/data)",
  ignore: noData,
  async fn() {
    await withIlsvrc(async (folder) => {
      const out = join(folder, "out");
      const { report } = await prepare({ source: folder, folder: out, settings });
      assertEquals([report.source, report.images.train, report.images.validation], [
        "ILSVRC-2012",
        6,
        3,
      ]);
      const dataset = await openDataset(out);
      assertEquals(dataset.classes, ["n01440764 tench", "n01629819 salamander"]);
      assertEquals([...dataset.validation.labels], [0, 1, 0]);
      const spec = { side: 256, channels: 3 as const };
      for (let i = 0; i < 3; i++) {
        const file = await Deno.readFile(join(folder, `ILSVRC2012_val_0000000${i + 1}.JPEG`));
        assertEquals(readRecord(dataset.validation.source, i), await decodeRecord(file, spec));
      }
      dataset.validation.source.close?.();
    });
  },
});

Deno.test({
  name:
    "openSource() refuses lists of ILSVRC-2012 that would give wrong labels (needs shared/data)",
  ignore: noData,
  async fn() {
    await withIlsvrc(async (folder) => {
      const open = () => openSource(folder, { workFolder: folder });
      const sorted = SYNSETS.toSorted().join("\n");
      const cases: [string, string, string][] = [
        ["synsets.txt", sorted, "alphabetical order"],
        [
          "synsets.txt",
          SYNSETS.slice(1).join("\n"),
          "n01629819 of ILSVRC2012_img_train.tar is not",
        ],
        ["ILSVRC2012_validation_ground_truth.txt", "2\n4\n2\n", "line 2 of"],
        ["ILSVRC2012_validation_ground_truth.txt", "2\n3\n2\n", "line 2 of"],
        ["ILSVRC2012_validation_ground_truth.txt", "2\n1\n", "line 3 of"],
      ];
      for (const [name, text, message] of cases) {
        const path = join(folder, name);
        const before = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, text);
        await assertRejects(open, SyntaxError, message);
        await Deno.writeTextFile(path, before);
      }
      await Deno.remove(join(folder, "synsets.txt"));
      await assertRejects(open, Error, "synsets.txt is missing");
      const train = join(folder, "ILSVRC2012_img_train.tar");
      await Deno.truncate(train, (await Deno.stat(train)).size - 100_000);
      await Deno.remove(join(folder, "ILSVRC2012_img_val.tar"));
      const { images, refused, warnings } = await open();
      assertEquals(images.length, 5);
      assertEquals(refused.map(({ reason }) => reason), ["the archive is cut off in it"]);
      assertEquals(warnings.length, 1);
    });
  },
});
