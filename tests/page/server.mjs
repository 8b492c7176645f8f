// A server of its own for each test, and a browser that complains of everything.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const program = process.env.DIUNBOX ?? "diunbox";

export class Server {
  folder = mkdtempSync(join(tmpdir(), "diunbox-page-"));

  async start(...more) {
    const { address = "127.0.0.1:0" } = this;
    this.child = spawn(program, ["serve", "--listen", address, ...more], {
      env: { DIUNBOX_DB: join(this.folder, "diunbox.db"), ...this.environment }, stdio: ["ignore", "ignore", "pipe"],
    });
    const lines = createInterface({ input: this.child.stderr });
    this.url = await new Promise((resolve, reject) => {
      lines.on("line", (line) => { const found = line.match(/listens on (http:\/\/[^ ,]+)/); if (found) resolve(found[1]); });
      this.child.on("exit", () => reject(new Error("the server ended")));
    });
    this.address = this.url.slice("http://".length);
    return this;
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.on("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  // Runs a command on the server's database.
  run(args, input = "") {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { DIUNBOX_DB: join(this.folder, "diunbox.db") }, stdio: ["pipe", "ignore", "ignore"] });
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${args}: ${code}`))));
      // A command that reads no input may have ended already.
      child.stdin.on("error", () => {});
      child.stdin.end(input);
    });
  }

  ingest(events) {
    return this.run(["-q", "ingest"], events.map((event) => JSON.stringify(event)).join("\n"));
  }
}

export function event(image, more = {}) {
  return { diun_version: "4.33.0", hostname: "nas", status: "update", provider: "docker", image, digest: `sha256:${image.length}${more.n ?? 0}`.padEnd(71, "0"),
    created: "2026-11-20T08:15:30Z", platform: "linux/amd64", hub_link: "", metadata: { ctn_names: image.split("/").pop().split(":")[0] }, ...more };
}

let browser;
export const closeBrowser = () => browser?.close();

// A page of which every message, error and request to another host is a failure.
export async function open(server, { path = "/", allow = () => false, prepare = () => {}, ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.complaints = [];
  const complain = (text) => { if (!allow(text)) page.complaints.push(text); };
  page.on("console", (message) => complain(`console: ${message.text()}`));
  page.on("pageerror", (error) => complain(`error: ${error.stack}`));
  page.on("dialog", (dialog) => { complain(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(server.url)) complain(`request: ${request.url()}`); });
  await page.addInitScript(prepare);
  await page.goto(server.url + path);
  return page;
}

export const names = (page) => page.locator(".row .name").allInnerTexts();
