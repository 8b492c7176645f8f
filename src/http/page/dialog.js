// Actions, and the dialog for their notes and times.
const chosen = () => (isEverything || selected.size ? [...selected] : []);

// The images with the digests that the user has seen, or the query of the filters.
function subject(images) {
  if (isEverything && images === "everything") {
    const filters = { state: view.state, as_of: asOf };
    for (const name of FILTERS) if (view[name]) filters[name] = view[name];
    return { query: filters };
  }
  return { images: images.map((image) => ({ image, digest: updates.get(image)?.digest ?? "" })) };
}

const acknowledge = (images, note) => decide("acknowledge", images, { note });

async function decide(action, images, more = {}) {
  const focus = focusNow();
  try {
    const { id, images: done, left } = await call("POST", "api/actions", { action, ...subject(images), ...more });
    const what = { acknowledge: "Acknowledged", reopen: "Reopened", snooze: "Snoozed", tag: "Tagged" }[action];
    const count = done.length === 1 ? safe(short(done[0])) : plural(done.length, "update");
    say(done.length ? `${what} ${count}.${left.length ? ` Left: ${reasons(left)}` : ""}` : `Nothing was done: ${reasons(left)}`, id ? [id] : []);
    deselect(images);
    if (LEAVES[action]?.includes(view.state)) take(done);
    restoreFocus(focus);
  } catch (error) { say(`It was not done: ${error.message}`); }
  await load({ keep: true });
  restoreFocus(focus);
}

// The lists that an update leaves by an action. Its row is removed at once, before the list is read again.
const LEAVES = { acknowledge: ["pending", "snoozed", "superseded"], snooze: ["pending"], reopen: ["acknowledged", "snoozed"] };

function take(images) {
  const gone = new Set(images);
  for (const image of images) updates.delete(image);
  for (const item of byId("list").querySelectorAll(".row")) if (gone.has(item.dataset.image)) item.remove();
}

// Only the images of the action are deselected.
function deselect(images) {
  if (images === "everything") selected = new Set(); else for (const image of images) selected.delete(image);
  isEverything = false;
}

async function ignore(images, patterns, note) {
  const ids = [];
  try {
    for (const pattern of patterns) {
      const { id } = await call("POST", "api/ignores", { pattern, note });
      if (id) ids.push(id);
    }
    say(`Ignored: ${patterns.map(safe).join(", ")}`, ids);
  } catch (error) { say(`It was not ignored: ${error.message}`, ids); }
  deselect(images);
  await load({ keep: true });
}

// The browser restores the focus, unless that row was drawn again. If the user has moved the focus since, it stays.
function leave(dialog, back) {
  dialog.replaceChildren();
  if (document.activeElement === document.body) restoreFocus(back);
}

// `images`: names, or "everything". `part`: the field that gets the focus.
async function openDialog(images, part) {
  if (images.length === 0) return say("Nothing is selected.");
  const dialog = byId("dialog");
  const one = images !== "everything" && images.length === 1 ? images[0] : null;
  const back = focusNow();
  const note = el("input", { id: "note", maxLength: 500, autocomplete: "off" });
  const noted = () => note.value.trim() || null;
  const finish = (work) => (event) => { event.preventDefault(); dialog.close(); work(); };
  const button = (kind, label, work) => el(kind, { type: "button", onclick: finish(work) }, label);
  const title = one ? safe(short(one)) : images === "everything" ? "All that the filters show" : plural(images.length, "update");

  const until = el("input", { type: "datetime-local", id: "until", "aria-label": "Until", required: true });
  const snooze = el("form", { onsubmit: finish(() => decide("snooze", images, { until: new Date(until.value).toISOString(), note: noted() })) },
    el("fieldset", {}, el("legend", {}, "Snooze"),
      button("button", "A day", () => decide("snooze", images, { for: "1d", note: noted() })),
      button("button", "A week", () => decide("snooze", images, { for: "7d", note: noted() })),
      until, el("button", {}, "Until then")));
  const tags = await call("GET", "api/tags").catch(() => []);
  const tag = el("input", { id: "tag-name", autocomplete: "off", "aria-label": "Tag", placeholder: "A tag, or a new one" });
  tag.setAttribute("list", "tag-names");
  const current = one ? updates.get(one)?.tag : null;
  const rename = tags.find(({ name }) => name === current);
  const tagging = el("form", { onsubmit: finish(() => putTag(images, tag.value.trim(), tags, noted())) },
    el("fieldset", {}, el("legend", {}, current ? `Tag: ${safe(current)}` : "Tag"),
      tag, el("datalist", { id: "tag-names" }, ...tags.map(({ name }) => el("option", { value: name }))),
      el("button", {}, "Set"), button("button", "Remove", () => decide("tag", images, { tag_id: null, note: noted() })),
      rename ? button("button", `Rename ${safe(current)} to this`, () => renameTag(rename, tag.value.trim())) : null));
  const named = one ? [one.replace(/@.*$/, "").replace(/:[^/:]*$/, "") + ":*"] : images === "everything" ? [] : images;
  const pattern = el("textarea", { id: "pattern", rows: Math.min(4, Math.max(1, named.length)), value: named.map(short).join("\n"), "aria-label": "Patterns, one a line", required: true });
  const ignoring = images === "everything" ? null : el("form", { onsubmit: finish(() => ignore(images, pattern.value.split("\n").map((line) => line.trim()).filter(Boolean), noted())) },
    el("fieldset", {}, el("legend", {}, "Ignore for good what matches"), pattern, el("button", {}, "Ignore")));

  const details = el("div", { tabIndex: -1 });
  dialog.replaceChildren(
    el("h2", { id: "dialog-title", tabIndex: -1 }, el("bdi", {}, title)),
    el("fieldset", {}, el("legend", {}, "Decide"),
      el("label", { htmlFor: "note" }, "Note"), note,
      button("button.primary", "Acknowledge", () => acknowledge(images, noted())),
      button("button", "Reopen", () => decide("reopen", images, { note: noted() }))),
    snooze, tagging, ...(ignoring ? [ignoring] : []), details,
    el("div.bottom", {}, el("button", { type: "button", onclick: () => dialog.close() }, "Close ", el("kbd", {}, "Esc"))));
  dialog.onclose = () => leave(dialog, back);
  dialog.showModal();
  (({ snooze: until, tag, ignore: pattern, note })[part] ?? dialog.querySelector("h2")).focus();
  if (one) {
    const full = await call("GET", `api/updates/${encodeURIComponent(one)}`).catch((error) => error);
    if (details.isConnected) details.replaceChildren(...(full instanceof Error ? [el("p", {}, full.message)] : detailsOf(full)));
  }
}

async function putTag(images, name, tags, note) {
  if (!name) return say("A tag needs a name.");
  try {
    const known = tags.find((tag) => tag.name === name) ?? await call("POST", "api/tags", { name });
    await decide("tag", images, { tag_id: known.id, note });
    await choices();
  } catch (error) { say(`It was not tagged: ${error.message}`); }
}

async function renameTag(tag, name) {
  try {
    await call("PATCH", `api/tags/${tag.id}`, { name });
    say(`Renamed ${safe(tag.name)} to ${safe(name)}.`);
    await choices();
  } catch (error) { say(`It was not renamed: ${error.message}`); }
  await load({ keep: true });
}

function facts(pairs) {
  return el("dl", {}, ...pairs.filter(([, value]) => value).flatMap(([label, value]) =>
    [el("dt", {}, label), el("dd", {}, el("bdi", {}, typeof value === "string" ? safe(value) : value))]));
}

function table(headings, rows) {
  return el("div.wide", {}, el("table", {}, el("thead", {}, el("tr", {}, ...headings.map((heading) => el("th", { scope: "col" }, heading)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, el("bdi", {}, safe(cell)))))))));
}

const digestOf = (digest) => (digest ?? "").slice(0, 19);

function detailsOf({ event, where, digests, history, links, ...update }) {
  const runs = (place) => place.runs?.length ? `${place.runs.includes(event.digest) ? "current" : digestOf(place.runs[0])} since ${ago(place.runs_since)}` : "";
  const parts = [
    el("h3", {}, "Update"),
    facts([["Image", event.image], ["State", update.state], ["Until", update.snoozed_until], ["Note", update.note],
      ["Change", update.previous ? `${update.change} (from ${update.previous})` : update.change],
      ["Older", update.supersedes.map(short).join(", ")], ["Since", `${update.since} (${ago(update.since)})`], ["Digest", event.digest],
      ["Built", event.created], ["Platform", event.platform],
      ["Registry", webLink(links.hub, links.hub)], ["Source", webLink(links.source, links.source)], ["Changelog", webLink(links.changelog, links.changelog)]]),
    el("h3", {}, "Where"),
    table(["Host", "Provider", "Workload", "State", "Runs", "Reported"], where.map((place) =>
      [place.hostname, place.provider, place.workload, place.state, runs(place), digestOf(place.digest)])),
  ];
  if (digests.length) parts.push(el("h3", {}, "Earlier digests"), table(["Digest", "First seen", "Last seen"], digests.map((digest) => [digest.digest, digest.first_seen, digest.last_seen])));
  if (history.length) parts.push(el("h3", {}, "History"), table(["When", "Action", "By", "Note"], history.map((entry) =>
    [entry.at, `${entry.action} ${entry.detail ?? ""}`, `${entry.user ?? ""} (${entry.origin})`, entry.note])));
  const metadata = Object.entries(event.metadata ?? {});
  if (metadata.length) parts.push(el("h3", {}, "Metadata"), facts(metadata.map(([name, value]) => [safe(name), value])));
  return parts;
}

const KEYS = [["j, k", "Next, previous update"], ["x", "Select it"], ["Enter", "Its details"], ["a", "Acknowledge it, or what is selected"], ["s", "Snooze"],
  ["i", "Ignore"], ["t", "Tag"], ["r", "Reopen"], ["u", "Undo"], ["/", "Search"], ["?", "These keys"], ["Escape", "Close, or select nothing"]];

function openHelp() {
  const dialog = byId("dialog"), back = focusNow();
  dialog.replaceChildren(el("h2", { id: "dialog-title" }, "Keys"), facts(KEYS),
    el("div.bottom", {}, el("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  dialog.onclose = () => leave(dialog, back);
  dialog.showModal();
}
