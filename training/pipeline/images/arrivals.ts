import { createHash } from "node:crypto";
import { z } from "zod";
import { parse } from "../../../shared/manifest.ts";
import type { ObjectInfo, ObjectStore } from "../../../shared/object_store/object_store.ts";
import { sortNames } from "../../dataset/folder_layout.ts";
import type { ImageRecord } from "./image_record.ts";

/** What lies where images arrive. */
export interface Arrivals {
  readonly images: readonly Arrival[];
  /** Images that nothing says the class of: their sidecar is still to come. */
  readonly unlabelled: readonly string[];
  /** Names that are no image's, and images in deeper folders. */
  readonly ignored: readonly string[];
  /** Changes with every object that comes, goes or changes. */
  readonly fingerprint: string;
}

/** An image that is there, before it is read. */
export interface Arrival extends Pick<ImageRecord, "key" | "byteLength" | "modifiedAt"> {
  readonly label: { readonly folder: string } | { readonly sidecar: string; readonly at: number };
}

/** Others may add to a sidecar what they like. */
const SidecarSchema = z.object({ label: z.string().min(1) });

/**
 * Lists what is stored below a prefix: `<class>/photo.jpg`, or `photo.jpg` with its label in
 * `photo.json`.
 */
export async function listArrivals(store: ObjectStore, prefix: string): Promise<Arrivals> {
  const objects: ObjectInfo[] = [];
  const hash = createHash("sha256");
  for await (const object of store.list(prefix)) {
    objects.push(object);
    hash.update(`${object.key} ${object.byteLength} ${object.modifiedAt.getTime()}\n`);
  }
  const sidecars = new Map(
    objects.filter(({ key }) => key.endsWith(".json")).map((object) => [object.key, object]),
  );
  const images: Arrival[] = [], unlabelled: string[] = [], ignored: string[] = [];
  for (const { key, byteLength, modifiedAt } of objects) {
    const [folder, name, ...deeper] = partsOf(key.slice(prefix.length));
    if (folder === "" && name.endsWith(".json")) continue;
    if (deeper.length > 0 || sortNames([], [name]).images.length === 0) {
      ignored.push(key);
      continue;
    }
    const sidecar = sidecars.get(key.replace(/\.[^.]*$/, ".json"));
    const label = folder !== ""
      ? { folder }
      : sidecar && { sidecar: sidecar.key, at: sidecar.modifiedAt.getTime() };
    if (label) images.push({ key, byteLength, modifiedAt: modifiedAt.getTime(), label });
    else unlabelled.push(key);
  }
  return { images, unlabelled, ignored, fingerprint: hash.digest("hex") };
}

/** Folder ("" for none), name, and what lies deeper. */
function partsOf(path: string): [string, string, ...string[]] {
  const parts = path.split("/");
  return parts.length === 1 ? ["", parts[0]!] : [parts[0]!, parts[1]!, ...parts.slice(2)];
}

/** Whether a record is of what is stored by now. */
export function isCurrent(
  record: ImageRecord,
  { byteLength, modifiedAt, label }: Arrival,
): boolean {
  const labelledAt = "at" in label ? label.at : null;
  return record.byteLength === byteLength && record.modifiedAt === modifiedAt &&
    record.labelledAt === labelledAt;
}

/** The label of an image, or why it has none. */
export async function labelOf(
  store: ObjectStore,
  { label }: Arrival,
): Promise<{ readonly label: string } | { readonly problem: string }> {
  if ("folder" in label) return { label: label.folder };
  const object = await store.get(label.sidecar);
  if (object === null) return { problem: `${label.sidecar} is gone` };
  try {
    return parse("sidecar", SidecarSchema, new TextDecoder().decode(object.bytes));
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
