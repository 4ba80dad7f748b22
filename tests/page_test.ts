/** The page at `/` as a visitor meets it, in a real Chromium. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import axe from "axe-core";
import type { Page } from "puppeteer-core";
import { fixture } from "../inference/fixtures/colours.ts";
import { coloursCard } from "../inference/fixtures/colours_card.ts";
import { OPEN, startedApp } from "../inference/fixtures/started_app.ts";
import { makeApiKey } from "../inference/middleware/api_keys.ts";
import { Guard } from "../inference/middleware/guard.ts";
import { hasBrowser, openPage } from "./browser.ts";

const FIXTURES = new URL("../inference/fixtures/", import.meta.url);
const ignore = !hasBrowser;

/** The service on a port of its own, and its page. */
async function visit(
  bounds: Parameters<typeof startedApp>[0] = {},
  changes: Parameters<typeof startedApp>[1] = {},
) {
  const service = await startedApp(bounds, changes);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    service.app.fetch,
  );
  const origin = `http://127.0.0.1:${server.addr.port}/`;
  const opened = await openPage(origin);
  return {
    ...opened,
    origin,
    folder: service.folder,
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await server.shutdown();
      await service[Symbol.asyncDispose]();
    },
  };
}

async function choose(page: Page, name: string): Promise<void> {
  const input = await page.$("input#file");
  await input!.uploadFile(fromFileUrl(new URL(name, FIXTURES)));
}

/** Gives the page a file as `drop` or `paste` would; the browser fires both only by hand. */
async function give(page: Page, way: "drop" | "paste", bytes: Uint8Array, type = "image/png") {
  await page.evaluate(`{
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob("${bytes.toBase64()}"), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], "given", { type: "${type}" }));
    const options = { bubbles: true, cancelable: true };
    dispatchEvent("${way}" === "drop"
      ? new DragEvent("drop", { ...options, dataTransfer: data })
      : new ClipboardEvent("paste", { ...options, clipboardData: data }));
  }`);
}

/** Waits until the live region says what matches. */
async function said(page: Page, pattern: RegExp): Promise<string> {
  await page.waitForFunction(`${pattern}.test(document.querySelector("#status").textContent)`, {
    timeout: 10_000,
  });
  return await textOf(page, "#status");
}

async function textOf(page: Page, selector: string): Promise<string> {
  return await page.$eval(selector, (element) => element.textContent ?? "");
}

async function count(page: Page, selector: string): Promise<number> {
  return (await page.$$(selector)).length;
}

async function isShown(page: Page, selector: string): Promise<boolean> {
  return await page.$eval(selector, (element) => element.checkVisibility());
}

async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assertEquals(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);
}

Deno.test({
  name: "the page answers images that are chosen, dropped and pasted, and keeps a history",
  ignore,
  fn: async () => {
    await using opened = await visit();
    const { page, origin, requests, errors } = opened;
    await choose(page, "red.png");
    await said(page, /^red, [\d.]+ %$/);
    assertEquals([await count(page, "#results li"), await count(page, "#entries li")], [4, 1]);
    assertMatch(await textOf(page, "#source"), /^Answered by colours v1 in \d+ ms$/);

    await give(page, "drop", await fixture("blue.jpg"), "image/jpeg");
    await said(page, /^blue, /);
    await give(page, "paste", await fixture("grey.gif"), "image/gif");
    await page.waitForFunction('document.querySelectorAll("#entries li").length === 3');
    await page.click("#entries li:last-child button");
    assertMatch(await said(page, /^red, /), /%$/);
    assertEquals(await textOf(page, "#results li:first-child .label"), "red");

    await page.click("#explain");
    await said(page, /what counted/);
    assertEquals(await isShown(page, "#heat"), true);
    await page.click("#explain");
    assertEquals(await isShown(page, "#heat"), false);
    assertEquals(requests.filter((address) => !address.startsWith(origin)), []);
    assertEquals(errors, []);
  },
});

Deno.test({
  name: "the page says in words what is wrong with an image",
  ignore,
  fn: async () => {
    await using opened = await visit({ maxBodyBytes: 5000, maxPixels: 40 * 24 });
    const { page, errors } = opened;
    await give(page, "drop", new TextEncoder().encode("hello"));
    await said(page, /not an image that can be read/);
    await give(page, "drop", new Uint8Array(6000));
    await said(page, /file is too large/);
    const wide = await fixture("red.png");
    // IHDR: width at byte 16, big-endian (PNG, third edition, §11.2.1).
    new DataView(wide.buffer).setUint32(16, 50_000);
    await give(page, "drop", wide);
    await said(page, /too many pixels/);
    assertEquals([await count(page, "#results li"), await count(page, "#entries li")], [0, 0]);
    await choose(page, "red.png");
    await said(page, /^red, /);
    assertEquals(errors, []);
  },
});

Deno.test({
  name: "the page asks for an API key once the service does, and keeps it out of storage",
  ignore,
  fn: async () => {
    const { key, sha256 } = makeApiKey();
    const apiKeys = [{
      name: "a visitor",
      scope: "classify",
      sha256: Uint8Array.fromHex(sha256),
    }] as const;
    await using opened = await visit({ guard: new Guard({ ...OPEN, apiKeys }) });
    const { page } = opened;
    assertEquals(await isShown(page, "#key-form"), false);
    await choose(page, "red.png");
    await said(page, /asks for an API key/);
    assertEquals(await page.evaluate("document.activeElement.id"), "key");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await said(page, /not known here/);
    await page.evaluate('document.querySelector("#key").value = ""');
    await page.type("#key", key);
    await page.keyboard.press("Enter");
    await said(page, /^red, /);
    assertEquals(await isShown(page, "#key-form"), false);
    assertEquals(await page.evaluate("localStorage.length + sessionStorage.length"), 0);
  },
});

Deno.test({
  name: "the page takes a correction where the service does, and offers none elsewhere",
  ignore,
  fn: async () => {
    {
      await using opened = await visit();
      await choose(opened.page, "red.png");
      await said(opened.page, /^red, /);
      assertEquals(await isShown(opened.page, "#feedback"), false);
    }
    await using opened = await visit({ feedback: true });
    const { page, errors, folder } = opened;
    await page.setViewport({ width: 360, height: 740, isMobile: true, hasTouch: true });
    assertEquals(await isShown(page, "#feedback"), false);
    await choose(page, "red.png");
    await said(page, /^red, /);
    await page.focus("#feedback summary");
    await page.keyboard.press("Enter");
    await page.waitForFunction('document.querySelectorAll("#labels option").length === 4');
    await assertAccessible(page);
    await page.keyboard.press("Tab");
    await page.keyboard.type("purple");
    await page.keyboard.press("Enter");
    await said(page, /does not know that label/);
    await page.evaluate('document.querySelector("#right").value = ""');
    await page.type("#right", "green");
    assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 360);
    await page.keyboard.press("Enter");
    await said(page, /^Thank you: kept as green/);
    assertEquals(await isShown(page, "#feedback"), false);
    const kept = await Array.fromAsync(Deno.readDir(`${folder}/incoming/colours`));
    assertEquals(kept.map(({ name }) => name.split(".").at(-1)).sort(), ["json", "png"]);
    assertEquals(errors, []);
  },
});

Deno.test({
  name: "the page has no serious fault for axe in light or dark, and fits a phone",
  ignore,
  fn: async () => {
    await using opened = await visit();
    const { page, errors } = opened;
    const scheme = (value: string) =>
      page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    const backgrounds = new Set<unknown>();
    for (const value of ["light", "dark"]) {
      await scheme(value);
      await assertAccessible(page);
      backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      await choose(page, "red.png");
      await said(page, /^red, /);
      await page.waitForFunction('!document.querySelector("#explain").hidden');
      await assertAccessible(page);
    }
    assertEquals(backgrounds.size, 2);
    await page.setViewport({ width: 360, height: 740, isMobile: true, hasTouch: true });
    // A phone's viewport loads the page anew.
    await choose(page, "red.png");
    await said(page, /^red, /);
    assertEquals([await count(page, "#results li"), await count(page, "#entries li")], [4, 1]);
    assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 360);
    assertEquals(await isShown(page, "label[for=camera]"), true);
    assertStringIncludes(await textOf(page, "#model"), "best guess right 87.5 %");
    assertEquals(errors, []);
  },
});

Deno.test({
  name: "the page is used with the keyboard alone",
  ignore,
  fn: async () => {
    await using opened = await visit();
    const { page } = opened;
    await choose(page, "red.png");
    await said(page, /^red, /);
    const order: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press("Tab");
      order.push(
        await page.evaluate("document.activeElement.id || document.activeElement.tagName"),
      );
    }
    assertEquals(order, ["A", "file", "explain", "BUTTON", "PRE"]);
    await page.focus("#explain");
    await page.keyboard.press("Space");
    await said(page, /what counted/);
  },
});

Deno.test({
  name:
    "the model's page is reached from the first one, accessible in light and dark, on a phone too",
  ignore,
  fn: async () => {
    await using opened = await visit({}, coloursCard());
    const { page, origin, requests, errors } = opened;
    await Promise.all([page.waitForNavigation(), page.click("#about a")]);
    assertEquals(page.url(), `${origin}models/colours`);
    for (const width of [1200, 360]) {
      await page.setViewport({ width, height: 900 });
      for (const value of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        await assertAccessible(page);
      }
      const overflow = await page.evaluate("document.body.scrollWidth - innerWidth");
      assertEquals(Math.max(0, overflow as number), 0, `wider than ${width}`);
    }
    assertEquals(await count(page, "tbody tr"), 3);
    assertEquals(requests.filter((url) => !url.startsWith(origin)), []);
    assertEquals(errors, []);
    await Promise.all([page.waitForNavigation(), page.click("header a")]);
    assertEquals(page.url(), origin);
  },
});
