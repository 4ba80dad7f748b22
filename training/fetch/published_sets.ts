/**
 * Image sets that are published under fixed addresses. Sizes and checksums are those of TensorFlow
 * Datasets' `checksums.tsv`; of MNIST's unpacked files they were computed here (2026-11-24).
 * @module
 */

export interface PublishedFile {
  readonly name: string;
  /** Tried in this order. */
  readonly addresses: readonly string[];
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Hex, of what a .gz file unpacks to: a mirror may have packed it anew. */
  readonly unpackedSha256?: string;
}

export interface PublishedSet {
  readonly name: string;
  readonly summary: string;
  readonly files: readonly PublishedFile[];
  /** The image folder in the archive, where the set is one that has to be unpacked. */
  readonly folder?: string;
  /** What to do with it next, given where it is. */
  next(path: string): string;
}

const MNIST_ADDRESSES = [
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

const mnistFile = (
  name: string,
  bytes: number,
  [sha256, unpackedSha256]: [packed: string, unpacked: string],
): PublishedFile => ({
  name,
  addresses: MNIST_ADDRESSES.map((address) => address + name),
  bytes,
  sha256,
  unpackedSha256,
});

/** One file, whose name is the end of its address. */
const archive = (address: string, bytes: number, sha256: string): PublishedFile[] => [
  { name: address.slice(address.lastIndexOf("/") + 1), addresses: [address], bytes, sha256 },
];

const train = (model: string, run: string) => (path: string) =>
  `./topfive train --model ${model} --data ${path} --out runs/${run}`;

const prepare = (side: number, name: string) => (path: string) =>
  `./topfive prepare ${path} ${name} --side ${side}`;

export const PUBLISHED_SETS: readonly PublishedSet[] = [
  {
    name: "mnist",
    summary: "70,000 handwritten digits, 28 x 28 grey",
    files: [
      mnistFile("train-images-idx3-ubyte.gz", 9_912_422, [
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      ]),
      mnistFile("train-labels-idx1-ubyte.gz", 28_881, [
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      ]),
      mnistFile("t10k-images-idx3-ubyte.gz", 1_648_877, [
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      ]),
      mnistFile("t10k-labels-idx1-ubyte.gz", 4_542, [
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
      ]),
    ],
    next: train("lenet5", "mnist"),
  },
  {
    name: "cifar10",
    summary: "60,000 photographs of 10 classes, 32 x 32",
    files: archive(
      "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      170_052_171,
      "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    next: prepare(32, "cifar10"),
  },
  {
    name: "cifar100",
    summary: "60,000 photographs of 100 classes, 32 x 32",
    files: archive(
      "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      168_513_733,
      "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
    next: prepare(32, "cifar100"),
  },
  {
    name: "imagenette",
    summary: "13,394 photographs of 10 ImageNet classes, shorter side 320",
    files: archive(
      "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz",
      341_663_724,
      "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c",
    ),
    folder: "imagenette2-320",
    next: prepare(256, "imagenette"),
  },
  {
    name: "flowers",
    summary: "3,670 photographs of 5 kinds of flowers, various sizes",
    files: archive(
      "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
      228_813_984,
      "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
    ),
    folder: "flower_photos",
    next: train("alexnet-small", "flowers"),
  },
];
