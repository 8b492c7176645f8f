"use strict";

// Requests and small helpers. All paths are relative, so that the page works below any path.
async function call(method, path, body) {
  const options = { method, headers: { "X-Diunbox-Page": "1" }, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(path, options);
  if (answer.status === 401) {
    location.assign("login?" + new URLSearchParams({ next: location.search.slice(1) }));
    return new Promise(() => {});
  }
  const text = await answer.text();
  let value = null;
  try { value = text && JSON.parse(text); } catch { /* A proxy's page, or the like. */ }
  if (!answer.ok) throw new Error(value?.error || `the server answers ${answer.status}`);
  return value;
}

// Creates an element: el("button.primary", {onclick, …}, children…). Text is always text, never HTML.
function el(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);

// Characters that reorder or hide text are shown as their code point.
function safe(text) {
  return String(text ?? "").replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

const isWeb = (link) => /^https?:\/\//.test(link ?? "");

// A link from an event may only be a web address, and sends no referrer.
function webLink(link, label) {
  return isWeb(link) ? el("a", { href: link, rel: "noopener noreferrer", target: "_blank" }, label) : null;
}

const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

function ago(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["", 1];
  if (!unit) return "just now";
  const count = Math.floor(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

const plural = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

// Shows a message for a while, with an undo button if given. It stays while the pointer or the focus is on it.
// `u` does the same as the button.
const undoable = [];
function say(text, ids = []) {
  const message = el("div.message", {}, el("span", {}, text));
  if (ids.length) {
    undoable.push(ids);
    message.append(el("button", { onclick: () => { message.remove(); undo(ids); } }, "Undo ", el("kbd", {}, "u")));
  }
  const close = el("button", { "aria-label": "Close this message", onclick: () => message.remove() }, "×");
  message.append(close);
  const messages = byId("messages");
  messages.append(message);
  while (messages.children.length > 3) messages.firstChild.remove();
  let left = 20;
  const timer = setInterval(() => {
    if (message.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left <= 0 || !message.isConnected) { message.remove(); clearInterval(timer); }
  }, 1000);
}

async function undo(ids = undoable.at(-1)) {
  if (!ids) return say("There is nothing to undo.");
  if (undoable.includes(ids)) undoable.splice(undoable.indexOf(ids), 1);
  try {
    const left = [];
    for (const id of [...ids].reverse()) left.push(...(await call("POST", "api/actions/undo", { id })).left);
    say(left.length ? `Undone, but for ${reasons(left)}` : "Undone.");
  } catch (error) { say(`It was not undone: ${error.message}`); }
  await load({ keep: true });
}

const reasons = (left) => left.slice(0, 3).map(({ image, reason }) => `${safe(short(image))}: ${safe(reason)}`).join("; ")
  + (left.length > 3 ? `; and ${left.length - 3} more` : "");

const short = (image) => image.replace(/^docker\.io\/(library\/)?/, "");
