/** The Worker of `PrefetchingLoader`: fills each batch it is sent, in the order of the epochs. */
import { messageOf } from "../../shared/message_of.ts";
import { type Batch, fillBatch } from "./batch.ts";
import { EpochOrder, type OrderOptions } from "./epoch_order.ts";
import { openRecordSource } from "./open_record_source.ts";
import type { RecordSource, RecordSourceDescription } from "./record_source.ts";

/** First what to read, then empty batches. */
export type PrefetchRequest =
  | { readonly description: RecordSourceDescription; readonly order: OrderOptions }
  | { readonly batch: Batch };

export type PrefetchReply = { readonly batch: Batch } | { readonly error: string };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<PrefetchRequest>) => void;
  postMessage(reply: PrefetchReply, transfer: Transferable[]): void;
};

let source: RecordSource;
let order: EpochOrder;

scope.onmessage = ({ data }) => {
  try {
    if ("description" in data) {
      source = openRecordSource(data.description);
      order = new EpochOrder(data.order);
      return;
    }
    const { batch } = data;
    order.next(batch.indices);
    fillBatch(batch, source);
    scope.postMessage({ batch }, [
      batch.records.buffer,
      batch.labels.buffer,
      batch.indices.buffer,
    ]);
  } catch (error) {
    // Later batches would be in the place of this one.
    scope.onmessage = () => {};
    scope.postMessage({ error: messageOf(error) }, []);
  }
};
