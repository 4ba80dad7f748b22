/** Chromium as Debian packages it, headless, for the tests of pages. */
import { existsSync } from "node:fs";
import puppeteer, { type Page } from "puppeteer-core";

const CHROMIUM = "/usr/bin/chromium";

/** Whether the tests of pages can run here. */
export const hasBrowser = existsSync(CHROMIUM);

/** A page that is open in a browser of its own, and what went over the network for it. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** The address of each request that was made of any server. */
  readonly requests: readonly string[];
  /** What the page itself reported as wrong: exceptions and errors in its console. */
  readonly errors: readonly string[];
}

/** Opens `address`; `await using` ends the browser. */
export async function openPage(address: string): Promise<OpenPage> {
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
    ],
  });
  const page = await browser.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // The console also names each answer of 4xx, which tests ask for.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      errors.push(message.text());
    }
  });
  await page.goto(address);
  return { page, requests, errors, [Symbol.asyncDispose]: () => browser.close() };
}
