// The list: the updates that the address selects, page by page.
const STATES = ["pending", "snoozed", "superseded", "ignored", "acknowledged"];
const FILTERS = ["search", "host", "tag"];
let view = {};
let updates = new Map();   // by image, in the order of the list
let seen = new Set();      // image and digest of everything that was shown once
let fresh = new Set();     // those that came while the view was open
let selected = new Set();  // images
let isEverything = false;  // all that the filters show, loaded or not
let next = null;
let asOf = 0;
let counts = {};
let generation = 0;        // answers to an older request are dropped
let isReading = false;     // the list, or more of it

const key = (update) => `${update.image} ${update.digest}`;

function readView() {
  const asked = new URLSearchParams(location.search);
  view = { state: "pending", search: "", host: "", tag: "", by: "", sort: "" };
  for (const name of Object.keys(view)) view[name] = asked.get(name) || view[name];
  if (!STATES.includes(view.state)) view.state = "pending";
}

function address(changes = {}) {
  const all = { ...view, ...changes };
  const asked = new URLSearchParams(Object.entries(all).filter(([name, value]) => value && !(name === "state" && value === "pending")));
  return asked.size ? `./?${asked}` : "./";
}

// Shows another view, and stores it in the address.
function go(changes, replace = false) {
  history[replace ? "replaceState" : "pushState"](null, "", address(changes));
  readView();
  load();
}

function query() {
  const asked = new URLSearchParams({ state: view.state });
  for (const name of FILTERS) if (view[name]) asked.set(name, view[name]);
  if (view.sort) asked.set("sort", view.sort);
  return asked;
}

// Reads the list again. `keep`: keeps the selection, and reads as many rows as are shown.
async function load({ keep = false } = {}) {
  const own = ++generation;
  const known = waiting;
  isReading = true;
  const wanted = keep ? Math.max(100, updates.size) : 100;
  try {
    const [page, summary] = await firstPage(wanted);
    const found = page.updates;
    let after = page.next;
    // Groups need the whole list: they would change while it is loaded.
    while (after && (view.by || found.length < wanted) && found.length < 20000) {
      const more = await pageOf(after, 500);
      found.push(...more.updates);
      after = more.next;
    }
    if (own !== generation) return;
    const isFirst = seen.size === 0;
    if (!keep) { selected = new Set(); isEverything = false; fresh = new Set(); }
    for (const update of found) if (keep && !isFirst && !seen.has(key(update))) fresh.add(key(update));
    updates = new Map(found.map((update) => [update.image, update]));
    for (const update of found) seen.add(key(update));
    selected = new Set([...selected].filter((image) => updates.has(image)));
    next = after;
    asOf = page.as_of;
    counts = summary;
    isReading = false;
    shown(known);
    render();
  } catch (error) {
    if (own !== generation) return;
    isReading = false;
    say(`The list cannot be read: ${error.message}`);
  }
}

// The first page, and the counts of all states.
const firstPage = (limit) => Promise.all([pageOf(null, limit), call("GET", "api/summary")]);

function pageOf(after, limit) {
  const asked = query();
  asked.set("limit", Math.min(limit, 500));
  if (after) asked.set("after", after);
  return call("GET", `api/inbox?${asked}`);
}

// Does nothing while the list is read again: `render` then looks for the end of the list itself.
async function loadMore() {
  if (!next || isReading) return;
  const own = generation;
  isReading = true;
  const page = await pageOf(next, 200).catch((error) => { say(error.message); return null; });
  if (own !== generation) return;
  isReading = false;
  if (!page) return;
  next = page.next;
  const list = byId("list").querySelector("ul");
  for (const update of page.updates) {
    if (updates.has(update.image)) continue;
    updates.set(update.image, update);
    seen.add(key(update));
    list?.append(row(update));
  }
  showCounts();
}

function groups() {
  const all = [...updates.values()];
  if (!view.by) return [["", all]];
  const name = {
    host: (update) => update.hosts[0] || "Without a host",
    repository: (update) => short(update.image.replace(/@.*$/, "").replace(/:[^/:]*$/, "")),
    tag: (update) => update.tag || "Without a tag",
  }[view.by] ?? (() => "");
  const found = new Map();
  for (const update of all) {
    const group = name(update);
    if (!found.has(group)) found.set(group, []);
    found.get(group).push(update);
  }
  return [...found].sort(([one], [other]) => one.localeCompare(other));
}

function render() {
  const focus = focusNow();
  const sections = groups().filter(([, rows]) => rows.length).map(([name, rows]) =>
    el("section", {}, name ? el("h2", {}, el("bdi", {}, safe(name))) : null, el("ul", {}, ...rows.map(row))));
  const nothing = FILTERS.some((name) => view[name]) ? "Nothing here fits these filters."
    : view.state === "pending" ? "Nothing is pending." : `Nothing is ${view.state}.`;
  byId("list").replaceChildren(...(sections.length ? sections : [el("p.empty", {}, nothing)]));
  showCounts();
  restoreFocus(focus);
}

function row(update) {
  const { image, name, needed, places } = update;
  const cut = name.lastIndexOf("/") + 1;
  const title = el("button.name", { type: "button", title: "Details", onclick: () => openDialog([image], "details") },
    el("bdi", {}, safe(name.slice(0, cut)), el("b", {}, safe(name.slice(cut)))));
  const versions = update.previous ? `from ${safe(update.previous)}` : null;
  const isOld = Date.now() - Date.parse(update.since) > 14 * 86400000;
  const facts = el("div.facts", {},
    el("span.chip." + update.change, {}, update.change),
    versions && el("span", {}, versions),
    update.older ? el("span", {}, `and ${update.older} older`) : null,
    el("bdi", {}, safe(update.where)),
    needed && needed < places ? el("span", {}, `${places - needed} of ${places} done`) : null,
    el(isOld ? "time.old" : "time", { dateTime: update.since, title: new Date(update.since).toLocaleString() }, ago(update.since)),
    update.snoozed_until && el("span", {}, `until ${new Date(update.snoozed_until).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`),
    update.tag && el("bdi.tag", {}, safe(update.tag)),
    update.note && el("bdi", {}, `“${safe(update.note)}”`),
    webLink(update.link, "Registry"));
  const pick = el("input", { type: "checkbox", checked: isEverything || selected.has(image), "aria-label": `Select ${safe(name)}`,
    onchange: (event) => select(image, event.target.checked) });
  const act = (kind, label, work) => el(kind, { type: "button", "aria-label": `${label}: ${safe(name)}`, onclick: work }, label);
  const open = view.state === "pending" || view.state === "snoozed" || view.state === "superseded";
  const acts = el("div.acts", {},
    open ? act("button.primary", "Acknowledge", () => acknowledge([image]))
      : view.state === "acknowledged" ? act("button", "Reopen", () => decide("reopen", [image])) : null,
    open && view.state !== "superseded" ? act("button", "Snooze", () => openDialog([image], "snooze")) : null,
    el("button", { type: "button", "aria-label": `More: ${safe(name)}`, onclick: () => openDialog([image], "details") }, "…"));
  const item = el("li.row", { tabIndex: -1 }, el("label.pick", {}, pick), el("div", {}, title, facts), acts);
  item.dataset.image = image;
  item.classList.toggle("selected", pick.checked);
  item.classList.toggle("new", fresh.has(key(update)));
  return item;
}

function select(image, isOn) {
  if (isEverything) { isEverything = false; selected = new Set(updates.keys()); }
  if (isOn) selected.add(image); else selected.delete(image);
  const item = rowOf(image);
  if (item) {
    item.classList.toggle("selected", isOn);
    item.querySelector("input").checked = isOn;
  }
  showSelection();
}

function selectAll(isOn) {
  isEverything = false;
  selected = new Set(isOn ? updates.keys() : []);
  for (const item of byId("list").querySelectorAll(".row")) {
    item.classList.toggle("selected", isOn);
    item.querySelector("input").checked = isOn;
  }
  showSelection();
}

const rowOf = (image) => [...byId("list").querySelectorAll(".row")].find((item) => item.dataset.image === image);

function showCounts() {
  const oldest = counts.oldest_pending ? `, oldest ${ago(counts.oldest_pending).replace(/ ago$/, "")}` : "";
  const trouble = counts.hosts_in_trouble ? `; look at Diun on ${plural(counts.hosts_in_trouble, "host")}` : "";
  const refused = counts.refused_requests ? `; ${plural(counts.refused_requests, "webhook request")} refused` : "";
  byId("summary").textContent = `${(counts.pending ?? 0).toLocaleString("en")} pending${oldest}${trouble}${refused}`;
  document.title = `(${counts.pending ?? 0}) diunbox`;
  for (const [index, tab] of [...byId("tabs").children].entries()) {
    const state = STATES[index];
    tab.href = address({ state });
    tab.lastChild.textContent = (counts[state] ?? 0).toLocaleString("en");
    if (state === view.state) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
  }
  byId("more").hidden = !next;
  // Observing the button again reports whether it is visible already.
  atEnd.unobserve(byId("more"));
  atEnd.observe(byId("more"));
  showSelection();
}

// Loads more when the end of the list is near.
const atEnd = new IntersectionObserver((entries) => { if (entries.at(-1).isIntersecting) loadMore(); }, { rootMargin: "600px" });

function showSelection() {
  const chosen = isEverything ? updates.size : selected.size;
  const all = byId("all");
  byId("bar").hidden = updates.size === 0;
  all.checked = updates.size > 0 && chosen === updates.size;
  all.indeterminate = chosen > 0 && !all.checked;
  byId("count").textContent = isEverything ? "All that the filters show" : chosen ? `${chosen} selected` : "";
  byId("everything").hidden = isEverything || !next || !all.checked;
  byId("everything").textContent = "Select all that the filters show, also what is not loaded yet";
  byId("acts").hidden = chosen === 0;
}
