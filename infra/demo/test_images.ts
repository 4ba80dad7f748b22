import { readdirSync } from "node:fs";
import { join } from "node:path";

/** An image that training never saw, with the class it belongs to. */
export interface TestImage {
  readonly file: string;
  readonly label: string;
}

/**
 * The first test image of `count` classes, spread over all classes of `folder`
 * (`<folder>/<class>/<image>`).
 *
 * @throws {Error} when there is no image
 */
export function pickTestImages(folder: string, count: number): TestImage[] {
  const labels = readdirSync(folder).sort();
  const step = Math.max(1, labels.length / count);
  const images: TestImage[] = [];
  for (let i = 0; i < labels.length && images.length < count; i += step) {
    const label = labels[Math.floor(i)]!;
    const [name] = readdirSync(join(folder, label)).sort();
    if (name !== undefined) images.push({ file: join(folder, label, name), label });
  }
  if (images.length === 0) throw new Error(`Cannot pick test images: none in ${folder}`);
  return images;
}
