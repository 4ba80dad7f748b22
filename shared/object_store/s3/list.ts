import type { ObjectInfo } from "../object_store.ts";
import type { S3Client } from "./client.ts";
import { readXml } from "./xml.ts";

/** Objects under a prefix, page by page (ListObjectsV2), 1,000 keys a page. */
export async function* listObjects(client: S3Client, prefix: string): AsyncGenerator<ObjectInfo> {
  const own = client.location.prefix;
  let token: string | undefined;
  do {
    const { response } = await client.send({
      method: "GET",
      query: {
        "list-type": "2",
        prefix: own + prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      },
    });
    const page = readXml(await response.text());
    for (const entry of page.children("Contents")) {
      const key = entry.child("Key")?.text ?? "";
      // Other tools make objects that end with "/" where they show folders.
      if (key.endsWith("/")) continue;
      yield {
        key: key.slice(own.length),
        byteLength: Number(entry.child("Size")?.text),
        modifiedAt: new Date(entry.child("LastModified")?.text ?? Number.NaN),
      };
    }
    token = page.child("IsTruncated")?.text === "true"
      ? page.child("NextContinuationToken")?.text
      : undefined;
  } while (token !== undefined);
}
