import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { Server, closeBrowser, event, names, open } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
after(closeBrowser);

// Runs with a server that has these events, and ends it; the page must not have complained.
function on(title, events, work, { args = [], environment = {} } = {}) {
  test(title, async () => {
    const server = Object.assign(new Server(), { environment });
    await server.start(...args);
    try {
      await server.ingest(events);
      const pages = [];
      await work(server, async (options) => { const page = await open(server, options); pages.push(page); return page; });
      for (const page of pages) assert.deepEqual(page.complaints, []);
    } finally { await server.end(); }
  });
}

const THREE = [event("redis:7.4"), event("ghcr.io/acme/api:2.0", { hostname: "edge-1" }), event("postgres:17")];
const row = (page, name) => page.locator(".row", { has: page.getByRole("button", { name, exact: true }) });
const ready = (page) => page.waitForSelector(".row, #list .empty");
// Waits until the list has these names.
async function shows(page, expected) {
  await page.waitForFunction((expected) => {
    const found = [...document.querySelectorAll(".row .name")].map((name) => name.innerText);
    return JSON.stringify(found.sort()) === JSON.stringify([...expected].sort());
  }, expected);
}

on("a row is acknowledged and taken back", THREE, async (server, open) => {
  const page = await open();
  await shows(page, ["redis:7.4", "ghcr.io/acme/api:2.0", "postgres:17"]);
  assert.equal(await page.title(), "(3) diunbox");
  await row(page, "redis:7.4").getByRole("button", { name: "Acknowledge" }).click();
  await shows(page, ["ghcr.io/acme/api:2.0", "postgres:17"]);
  // The focus is on the same button of the row that took its place.
  const focus = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.match(focus, /^Acknowledge: /);
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await shows(page, ["redis:7.4", "ghcr.io/acme/api:2.0", "postgres:17"]);
  const history = await (await fetch(`${server.url}/api/history`)).json();
  assert.deepEqual(history.actions.map(({ action, origin }) => [action, origin]), [["undo", "page"], ["acknowledge", "page"]]);
});

on("a selection stays when another row is decided on", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  await page.getByLabel("Select redis:7.4").check();
  await row(page, "postgres:17").getByRole("button", { name: "Acknowledge" }).click();
  await shows(page, ["redis:7.4", "ghcr.io/acme/api:2.0"]);
  assert.equal(await page.locator("#count").innerText(), "1 selected");
  assert.ok(await page.getByLabel("Select redis:7.4").isChecked());
});

on("what came since is not acknowledged unseen", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  await page.locator("#list").hover();
  await server.ingest([event("redis:7.4", { n: 1 })]);
  await row(page, "redis:7.4").getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("Nothing was done: redis:7.4: its digest is").waitFor();
});

on("the keyboard alone is enough", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const [first, second, third] = await names(page);
  await press("j", "x", "j", "x");
  assert.equal(await page.locator("#count").innerText(), "2 selected");
  await press("a");
  await shows(page, [third]);
  await press("u");
  await shows(page, [first, second, third]);
  await press("j", "Enter");
  await page.locator("dialog[open] dl").first().waitFor();
  await press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => document.activeElement.matches(".row")), "the focus is back");
  await press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  // Closing does not take the focus from where the user has gone on.
  const focus = await page.evaluate(async () => {
    const closed = new Promise((resolve) => document.querySelector("dialog").addEventListener("close", resolve));
    document.querySelector("dialog").close();
    document.getElementById("search").focus();
    await closed;
    return document.activeElement.id;
  });
  assert.equal(focus, "search");
  await page.keyboard.type("postgres");
  await shows(page, ["postgres:17"]);
  assert.match(page.url(), /\?search=postgres$/);
  await press("Escape", "j", "s");
  await page.locator("dialog[open] #until").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "until");
});

on("snooze, tag, ignore and reopen have notes and can be undone", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  const dialog = page.locator("dialog[open]");
  const more = (name) => row(page, name).getByRole("button", { name: `More: ${name}` }).click();
  await row(page, "redis:7.4").getByRole("button", { name: "Snooze" }).click();
  await dialog.getByLabel("Note").fill("not this week");
  await dialog.getByRole("button", { name: "A week" }).click();
  await shows(page, ["ghcr.io/acme/api:2.0", "postgres:17"]);
  await page.getByRole("link", { name: "Snoozed 1" }).click();
  await page.getByText("“not this week”").waitFor();
  await page.getByText(/^until [A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d/).waitFor();
  await more("redis:7.4");
  await dialog.getByRole("button", { name: "Reopen" }).click();
  await shows(page, []);
  await page.getByRole("link", { name: "Pending 3" }).click();
  await more("postgres:17");
  await dialog.getByLabel("Tag", { exact: true }).fill("database");
  await dialog.getByRole("button", { name: "Set" }).click();
  await row(page, "postgres:17").locator(".tag", { hasText: "database" }).waitFor();
  await more("postgres:17");
  await dialog.getByLabel("Tag", { exact: true }).fill("db");
  await dialog.getByRole("button", { name: "Rename database to this" }).click();
  await row(page, "postgres:17").locator(".tag", { hasText: /^db$/ }).waitFor();
  await more("ghcr.io/acme/api:2.0");
  assert.equal(await dialog.getByLabel("Patterns").inputValue(), "ghcr.io/acme/api:*");
  await dialog.getByRole("button", { name: "Ignore" }).click();
  await shows(page, ["redis:7.4", "postgres:17"]);
  await page.getByRole("status").getByRole("button", { name: "Undo" }).last().click();
  await shows(page, ["redis:7.4", "ghcr.io/acme/api:2.0", "postgres:17"]);
});

const MANY = Array.from({ length: 260 }, (_, index) => event(`app-${index}:1`, { hostname: `host-${index % 3}` }));
on("all that the filters show is one action", MANY, async (server, open) => {
  const page = await open({ path: "/?host=host-1&by=host" });
  await page.getByRole("heading", { name: "host-1" }).waitFor();
  await page.goto(`${server.url}/?search=app`);
  await ready(page);
  await page.getByLabel("Select all").check();
  await page.getByRole("button", { name: "Select all that the filters show" }).click();
  await page.locator("#acts").getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("Acknowledged 260 updates.").waitFor();
  await shows(page, []);
  const history = await (await fetch(`${server.url}/api/history`)).json();
  assert.equal(history.actions.length, 1);
});

on("an event shows by itself, and never moves what is pointed at", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  await server.ingest([event("nginx:1.27")]);
  await shows(page, ["nginx:1.27", "redis:7.4", "ghcr.io/acme/api:2.0", "postgres:17"]);
  assert.equal(await page.locator(".row.new").count(), 1);
  // Its mark stays when others come.
  await server.ingest([event("redis:7.4", { status: "new" })]);
  assert.equal(await page.locator(".row.new").count(), 1);
  assert.equal(await page.title(), "(4) diunbox");
  await page.locator(".row").nth(2).hover();
  const before = await names(page);
  await server.ingest([event("caddy:2")]);
  await page.getByRole("button", { name: "1 new: show" }).waitFor();
  assert.deepEqual(await names(page), before);
  assert.equal(await page.title(), "(5) diunbox");
  await page.getByRole("button", { name: "1 new: show" }).click();
  await page.getByRole("button", { name: "caddy:2", exact: true }).waitFor();
  // What others decide shows, too.
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  await server.run(["-q", "ack", "caddy:2"]);
  await shows(page, before);
});

on("the offer to show what is new ends when the list is read for another reason", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  await page.locator(".row").nth(2).hover();
  await server.ingest([event("caddy:2")]);
  await page.getByRole("button", { name: "1 new: show" }).waitFor();
  await row(page, "redis:7.4").getByRole("button", { name: "Acknowledge" }).click();
  await page.getByRole("button", { name: "caddy:2", exact: true }).waitFor();
  assert.ok(await page.locator("#fresh").isHidden());
  // Nor does a count that arrives later bring it back.
  await page.evaluate(() => {
    const { fetch } = globalThis;
    globalThis.asked = 0;
    const released = new Promise((resolve) => { globalThis.release = resolve; });
    globalThis.fetch = async (path, options) => {
      const answer = await fetch(path, options);
      if (path.startsWith("api/inbox") && ++asked === 1) await released;
      return answer;
    };
  });
  await server.ingest([event("nginx:1.27")]);
  await page.waitForFunction(() => globalThis.asked >= 1);
  await row(page, "postgres:17").getByRole("button", { name: "Acknowledge" }).click();
  await page.getByRole("button", { name: "nginx:1.27", exact: true }).waitFor();
  await page.evaluate(() => release());
  await page.evaluate(() => fetch("api/summary"));
  assert.ok(await page.locator("#fresh").isHidden());
});

on("the icon has a dot while the page is hidden and something is new", THREE, async (server, open) => {
  const page = await open();
  await ready(page);
  const hide = (isHidden) => page.evaluate((isHidden) => {
    // Headless browsers hide no page.
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
  const icon = (name) => page.waitForFunction((name) => document.getElementById("icon").getAttribute("href") === name, name);
  await hide(true);
  await server.ingest([event("caddy:2")]);
  await icon("icon-new.svg");
  await hide(false);
  await icon("icon.svg");
});

on("refused webhook requests are shown", THREE, async (server, open) => {
  const answer = await fetch(`${server.url}/webhook`, { method: "POST", body: "not an event" });
  assert.equal(answer.status, 400);
  // It is stored by a thread of its own.
  const summary = async () => (await fetch(`${server.url}/api/summary`)).json();
  while ((await summary()).refused_requests !== 1);
  const page = await open();
  await page.getByText("; 1 webhook request refused").waitFor();
});

on("a burst of 1,000 events is one repaint", THREE, async (server, open) => {
  const page = await open({
    prepare: () => {
      globalThis.received = 0;
      globalThis.EventSource = class extends EventSource {
        constructor(address) { super(address); this.addEventListener("update", () => { globalThis.received += 1; }); }
      };
    },
  });
  await ready(page);
  await page.evaluate(() => {
    globalThis.repaints = 0;
    new MutationObserver(() => { globalThis.repaints += 1; }).observe(document.querySelector("#list"), { childList: true });
  });
  // No timer ends before all events have arrived.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await server.ingest(Array.from({ length: 1000 }, (_, index) => event(`burst-${index}:1`)));
  await page.waitForFunction(() => globalThis.received >= 1000);
  await page.clock.resume();
  await page.waitForFunction(() => document.title === "(1003) diunbox");
  assert.equal(await page.evaluate(() => globalThis.repaints), 1);
});

test("the page goes on after the server was restarted", async () => {
  const server = await new Server().start();
  try {
    await server.ingest(THREE);
    const page = await open(server, { allow: (text) => text.includes("ERR_CONNECTION_REFUSED") || text.includes("ERR_INCOMPLETE_CHUNKED_ENCODING") });
    await ready(page);
    await server.stop();
    await server.ingest([event("caddy:2")]);
    await server.start();
    await page.getByRole("button", { name: "caddy:2", exact: true }).waitFor();
    assert.deepEqual(page.complaints, []);
  } finally { await server.end(); }
});

const LOGIN = { environment: { DIUNBOX_TOKEN: "a-long-enough-token" } };
on("a token is asked for once", THREE, async (server, open) => {
  const page = await open({ path: "/?search=redis", allow: (text) => text.includes("403 (Forbidden)") });
  assert.match(page.url(), /\/login\?next=/);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").getByText("This is not a token").waitFor();
  await page.getByLabel("Token").fill("a-long-enough-token");
  await page.getByRole("button", { name: "Log in" }).click();
  await shows(page, ["redis:7.4"]);
  assert.match(page.url(), /\/\?search=redis$/);
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
  assert.ok(!cookie.value.includes("token"));
  await row(page, "redis:7.4").getByRole("button", { name: "Acknowledge" }).click();
  await shows(page, []);
  // From a link on another site the browser sends no cookie, and still comes through.
  await page.goto("data:text/html,<a href='" + server.url + "/'>here</a>").catch(() => {});
  await page.goto(server.url + "/");
  await shows(page, ["ghcr.io/acme/api:2.0", "postgres:17"]);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Token").waitFor();
  await page.goto(`${server.url}/`);
  assert.match(page.url(), /\/login$/);
  page.complaints = page.complaints.filter((text) => !text.startsWith("request: data:"));
}, LOGIN);

const HOSTILE = [
  "evil/<img-src=x-onerror=alert(1)>:1", "evil/\"><script>alert(1)</script>:1", "evil/'onclick='alert(1):1", "evil/\u202egnp.exe:1", "evil/😀:1", "evil/{{rows}}:1",
].map((image, n) => event(image, { n, hub_link: "javascript:alert(1)", hostname: "<b>host</b>", metadata: { ctn_names: "<i>x</i>", "<u>": "</script><script>alert(1)</script>", changelog: "javascript:alert(1)" } }));
on("what strangers write is text", HOSTILE, async (server, open) => {
  const page = await open();
  await ready(page);
  const shown = await names(page);
  assert.equal(shown.length, HOSTILE.length);
  assert.ok(shown.includes("evil/😀:1") && shown.includes("evil/\\u{202e}gnp.exe:1"), shown.join());
  for (let index = 0; index < HOSTILE.length; index += 1) {
    await page.locator(".row .name").nth(index).click();
    await page.locator("dialog[open] dl").first().waitFor();
    await page.getByRole("button", { name: "Close", exact: false }).last().click();
  }
  const links = await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.protocol));
  assert.ok(links.every((protocol) => protocol === "http:"), links.join());
  assert.equal(await page.locator("#list img, #list script, #list b b, dialog script").count(), 0);
  const plain = await open({ javaScriptEnabled: false });
  assert.equal(await plain.locator("tbody tr").count(), HOSTILE.length);
  assert.equal(await plain.locator("#list img, #list script").count(), 0);
});

on("it can be read without a script", THREE, async (server, open) => {
  const page = await open({ javaScriptEnabled: false });
  assert.equal(await page.locator("tbody tr").count(), 3);
  await page.getByLabel("Search images").fill("redis");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("link", { name: "Acknowledged" }).click();
  await page.getByText("Nothing here.").waitFor();
});

const DENSE = [...THREE, event("registry.example.com:5000/platform/services/a-very-long-name-of-an-image-that-does-not-fit:1.0.0-alpine3.20", { hub_link: "https://example.com/" })];
for (const [name, options] of Object.entries({
  "on a desktop": {}, "in the dark": { colorScheme: "dark" }, "on a phone of 320 pixels": { viewport: { width: 320, height: 640 } },
  "at 200 %": { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
})) {
  on(`everyone can use it ${name}`, DENSE, async (server, open) => {
    const page = await open(options);
    await ready(page);
    const check = async (what) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => [what, id, nodes.map(({ html }) => html)]), []);
      const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(width, 0, `${what}: it is too wide by ${width}`);
    };
    await check("the list");
    await page.getByLabel("Select all").check();
    await check("a selection");
    await page.locator(".row .name").first().click();
    await page.locator("dialog[open] dl").first().waitFor();
    await check("the dialog");
    await page.keyboard.press("Escape");
    await page.getByLabel("Select all").uncheck();
    await page.locator(".row").first().getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("status").getByRole("button", { name: "Undo" }).waitFor();
    await check("a message");
    await page.goto(`${server.url}/login`);
    await check("the login");
  });
}

on("who scrolls right after a decision stays at the end and reads on", Array.from({ length: 250 }, (_, index) => event(`app-${index}:1`)), async (server, open) => {
  const page = await open();
  await ready(page);
  // The list is read again only when the test says so.
  await page.evaluate(() => {
    const { fetch } = globalThis;
    const released = new Promise((resolve) => { globalThis.release = resolve; });
    globalThis.asked = [];
    globalThis.fetch = async (path, options) => {
      asked.push(path);
      if (/^api\/inbox\?(?!.*after=)/.test(path)) await released;
      return fetch(path, options);
    };
  });
  const first = (await names(page))[0];
  await row(page, first).getByRole("button", { name: "Acknowledge" }).click();
  await page.waitForFunction(() => asked.some((path) => path.startsWith("api/inbox")));
  // The page has noticed the end of the list when an observer that was created later has.
  await page.evaluate(() => new Promise((resolve) => {
    new IntersectionObserver((entries) => { if (entries.at(-1).isIntersecting) resolve(); }).observe(document.getElementById("more"));
    scrollTo(0, document.body.scrollHeight);
  }));
  assert.deepEqual(await page.evaluate(() => asked.filter((path) => path.includes("after="))), []);
  await page.evaluate(() => release());
  await page.waitForFunction(() => document.querySelectorAll(".row").length === 249);
});

on("ten thousand updates are shown quickly", Array.from({ length: 10_000 }, (_, index) => event(`app-${index}:1`)), async (server, open) => {
  const page = await open();
  await ready(page);
  const shown = await page.evaluate(() => performance.now());
  const first = await page.locator(".row .name").first().innerText();
  const began = Date.now();
  await page.locator(".row").first().getByRole("button", { name: "Acknowledge" }).click();
  await page.waitForFunction((first) => document.querySelector(".row .name").innerText !== first, first);
  console.log(`10,000 pending: shown after ${Math.round(shown)} ms, acknowledged and redrawn after ${Date.now() - began} ms`);
  // Scrolling reads on.
  for (const count of [100, 300, 500]) {
    await page.waitForFunction((count) => document.querySelectorAll(".row").length >= count, count - 5);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  }
});
