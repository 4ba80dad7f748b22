import { assertEquals, assertThrows } from "@std/assert";
import { readS3Location } from "./location.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

function read(
  address: string,
  variables: Readonly<Record<string, string>> = KEYS,
  files: Readonly<Record<string, string>> = {},
) {
  return readS3Location(address, {
    env: (name) => variables[name],
    readFile: (path) => files[path],
  });
}

const FILES = {
  "/home/me/.aws/credentials": `
[default]
aws_access_key_id = default-id
aws_secret_access_key = default-secret
[team]
aws_access_key_id = team-id
aws_secret_access_key = team-secret
aws_session_token = team-token
`,
  "/home/me/.aws/config": `
[default]
region = eu-west-1
[profile team]
region = eu-north-1
endpoint_url = http://127.0.0.1:7070
`,
};

Deno.test("readS3Location() finds Amazon's address of a region", () => {
  assertEquals(read("s3://pets/models/", { ...KEYS, AWS_REGION: "eu-central-1" }), {
    endpoint: "https://s3.eu-central-1.amazonaws.com",
    region: "eu-central-1",
    bucket: "pets",
    prefix: "models/",
    pathStyle: false,
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  });
  assertEquals(read("s3://pets").prefix, "");
  assertEquals(read("s3://dotted.pets").pathStyle, true);
});

Deno.test("readS3Location() takes the address's options before the variables", () => {
  const variables = { ...KEYS, AWS_ENDPOINT_URL: "https://other", AWS_REGION: "other" };
  const options = "endpoint=https://account.r2.cloudflarestorage.com&region=auto";
  const { endpoint, region, pathStyle } = read(`s3://pets?${options}`, variables);
  assertEquals([endpoint, region], ["https://account.r2.cloudflarestorage.com", "auto"]);
  assertEquals(pathStyle, true);
  assertEquals(
    read("s3://pets", { ...variables, AWS_ENDPOINT_URL_S3: "https://s3" }).endpoint,
    "https://s3",
  );
});

Deno.test("readS3Location() reads profiles", () => {
  const home = { HOME: "/home/me" };
  const byDefault = read("s3://pets", home, FILES);
  assertEquals(byDefault.credentials.accessKeyId, "default-id");
  assertEquals(byDefault.region, "eu-west-1");
  const team = read("s3://pets", { ...home, AWS_PROFILE: "team" }, FILES);
  assertEquals(team.credentials, {
    accessKeyId: "team-id",
    secretAccessKey: "team-secret",
    sessionToken: "team-token",
  });
  assertEquals([team.endpoint, team.region], ["http://127.0.0.1:7070", "eu-north-1"]);
  assertEquals(read("s3://pets?profile=team", home, FILES).region, "eu-north-1");
});

Deno.test("readS3Location() never mixes a variable's key with a profile's", () => {
  const variables = { HOME: "/home/me", AWS_ACCESS_KEY_ID: "id" };
  assertThrows(() => read("s3://pets", variables, FILES), Error, "there are no credentials");
});

Deno.test("readS3Location() says what is wrong", () => {
  for (const address of ["s3://", "s3://A", "s3://pets:80/x", "s3://user@pets", "s3://p"]) {
    assertThrows(() => read(address), SyntaxError, "expected s3://bucket/prefix", address);
  }
  assertThrows(() => read("s3://pets?endpont=x"), SyntaxError, "there is no option endpont");
  assertThrows(() => read("s3://pets?endpoint=ftp://x"), SyntaxError, "no http or https address");
  assertThrows(() => read("s3://pets", {}), Error, "set AWS_ACCESS_KEY_ID");
  assertThrows(
    () => read("s3://pets?profile=none", {}, FILES),
    Error,
    'Cannot use AWS profile "none"',
  );
});
