import { MemorySource } from "./memory_source.ts";
import type { RecordSource, RecordSourceDescription } from "./record_source.ts";
import { ShardSource } from "./shards/shard_source.ts";

/** Opens what a description names, in whatever thread this is; see {@linkcode RecordSource.close}. */
export function openRecordSource(description: RecordSourceDescription): RecordSource {
  switch (description.kind) {
    case "memory":
      return new MemorySource(description.records, description.labels);
    case "shards":
      return new ShardSource(description);
  }
}
