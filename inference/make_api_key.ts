// topfive api-key: a new key for a client, and the line by which the service knows it.
import { makeApiKey, parseApiKeys, SCOPES } from "./middleware/api_keys.ts";

const HELP = `Makes an API key

Usage: topfive api-key NAME [SCOPE]

  NAME    whose it is, for logs and limits: letters, digits, dots and dashes
  SCOPE   classify (default); feedback: classify, and say which answers were wrong;
          metrics: read /metrics; admin: all of these, and load and unload models

The key itself is printed once, on standard error, and kept nowhere. Standard output is the entry for
TOPFIVE_API_KEYS, which has its hash alone; entries are separated by commas. To rotate a key, add a
second entry of the same name, let the client change over, and take the first one away.

Example
  export TOPFIVE_API_KEYS=$(topfive api-key website),$(topfive api-key prometheus metrics)`;

const [name, scope = "classify", ...others] = Deno.args;
if (name === "--help" || name === "-h") {
  console.log(HELP);
} else {
  const { key, sha256 } = makeApiKey();
  const entry = `${name}:${scope}:${sha256}`;
  try {
    if (name === undefined || others.length > 0) throw new SyntaxError("expected NAME [SCOPE]");
    parseApiKeys(entry);
    console.error(`key of ${name}: ${key}`);
    console.log(entry);
  } catch {
    console.error(
      `topfive: Cannot make an API key: expected a plain NAME and ${SCOPES.join(" or ")}\n` +
        "Try: topfive api-key --help",
    );
    Deno.exit(2);
  }
}
