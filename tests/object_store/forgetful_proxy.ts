/** A store that speaks S3 and ignores conditions, as some do: a real server behind a proxy. */
import { AwsClient } from "aws4fetch";
import { S3_SECRET, S3_USER } from "./s3_server.ts";

export interface ForgetfulProxy extends AsyncDisposable {
  readonly endpoint: string;
}

/** Leaves `If-Match` and `If-None-Match` out of writes, and signs anew what it passes on. */
export function startForgetfulProxy(target: string): ForgetfulProxy {
  const aws = new AwsClient({
    ...{ accessKeyId: S3_USER, secretAccessKey: S3_SECRET },
    ...{ service: "s3", region: "us-east-1", retries: 0 },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const writes = request.method === "PUT" || request.method === "POST";
      const headers: Record<string, string> = {};
      for (const [name, value] of request.headers) {
        if (name === "range" || (!writes && name.startsWith("if-"))) headers[name] = value;
      }
      const body = writes ? await request.bytes() : undefined;
      return await aws.fetch(new URL(pathname + search, target).href, {
        method: request.method,
        headers,
        ...(body ? { body } : {}),
      });
    },
  );
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
