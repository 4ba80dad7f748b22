/** Which crops of a record a network is asked about; its answers are averaged. */
import { centreOffset, type PreprocessSpec } from "../../shared/image/preprocess.ts";

/** A crop of a record, its upper left corner in pixels, maybe mirrored left to right. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly mirror: boolean;
}

export const VIEW_COUNTS = [1, 9, 10] as const;
export type ViewCount = typeof VIEW_COUNTS[number];

/**
 * 1: the centre. 10: the four corners and the centre, each also mirrored (AlexNet's paper, section
 * 4.1). 9: a grid of three by three, for the crops of cuda-convnet's CIFAR-10 networks.
 *
 * @throws {RangeError} on several views of a record that is no larger than the crop.
 */
export function viewsOf(count: ViewCount, spec: Pick<PreprocessSpec, "side" | "crop">): View[] {
  const centre = { ...centreOffset(spec), mirror: false };
  if (count === 1) return [centre];
  const margin = spec.side - spec.crop;
  if (margin === 0) {
    throw new RangeError(
      `Cannot look at ${count} views: records of ${spec.side} pixels have one crop of ${spec.crop}`,
    );
  }
  const places = count === 10 ? [0, margin] : [0, centre.x, margin];
  const grid = places.flatMap((y) => places.map((x) => ({ x, y, mirror: false })));
  if (count === 9) return grid;
  return [...grid, centre].flatMap((view) => [view, { ...view, mirror: true }]);
}
