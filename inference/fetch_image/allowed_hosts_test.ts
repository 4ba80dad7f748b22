import { assertEquals, assertThrows } from "@std/assert";
import { ProblemError } from "../problem.ts";
import { AllowedHosts } from "./allowed_hosts.ts";

const hosts = new AllowedHosts("images.example.org, *.cdn.example.org,other.example:8443");

Deno.test("AllowedHosts takes https addresses of its hosts and ports", () => {
  const allowed = [
    "https://images.example.org/a.jpg?size=large",
    "https://IMAGES.example.org:443/a.jpg",
    "https://eu.cdn.example.org/a.jpg",
    "https://a.b.cdn.example.org/",
    "https://other.example:8443/a.jpg",
  ];
  for (const address of allowed) hosts.require(address);
  assertEquals(
    hosts.require("/b.jpg", new URL(allowed[0]!)).href,
    "https://images.example.org/b.jpg",
  );
});

Deno.test("AllowedHosts refuses every other scheme, host, port and a password", () => {
  const refused = [
    "http://images.example.org/a.jpg",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "images.example.org/a.jpg",
    "https://example.org/a.jpg",
    "https://cdn.example.org/a.jpg",
    "https://images.example.org.evil.test/a.jpg",
    "https://notimages.example.org/a.jpg",
    "https://evilcdn.example.org/a.jpg",
    "https://images.example.org:8443/a.jpg",
    "https://other.example/a.jpg",
    "https://user@images.example.org/a.jpg",
    "https://user:secret@images.example.org/a.jpg",
    "https://images.example.org@evil.test/a.jpg",
    "https://images.example.org./a.jpg",
    "https://127.0.0.1/a.jpg",
    "https://[::1]/a.jpg",
    "https://2130706433/a.jpg",
    "",
  ];
  for (const address of refused) {
    const error = assertThrows(() => hosts.require(address), ProblemError);
    assertEquals([error.problem, error.message.includes("secret")], ["image-url-refused", false]);
  }
});

Deno.test("AllowedHosts refuses a setting that is no list of hosts", () => {
  for (
    const text of ["https://example.org", "*", "*.*.org", "exa mple.org/", "a..b", "-a.org", "a:x"]
  ) {
    assertThrows(() => new AllowedHosts(text), SyntaxError, "Cannot read the host");
  }
  assertEquals([new AllowedHosts("").none, hosts.none], [true, false]);
});
