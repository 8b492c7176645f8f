// The row and the control that have the focus.
function focusNow() {
  const element = document.activeElement;
  const item = element?.closest?.(".row");
  if (!item) return { element };
  const items = [...byId("list").querySelectorAll(".row")];
  const controls = [...item.querySelectorAll("button, input, a")];
  return { image: item.dataset.image, index: items.indexOf(item), control: controls.indexOf(element), element };
}

// Restores the focus, and leaves the page where the user has scrolled it. If its row is gone, the row in its place gets it.
function restoreFocus({ image, index, control, element }) {
  if (image === undefined) {
    if (element?.isConnected && element !== document.body) element.focus({ preventScroll: true });
    return;
  }
  const items = [...byId("list").querySelectorAll(".row")];
  const item = items.find((item) => item.dataset.image === image) ?? items[Math.min(index, items.length - 1)];
  if (!item) return byId("list").focus({ preventScroll: true });
  const target = control < 0 ? item : item.querySelectorAll("button, input, a")[control] ?? item;
  target.focus({ preventScroll: true });
}

function move(step) {
  const items = [...byId("list").querySelectorAll(".row")];
  if (!items.length) return;
  const now = items.indexOf(document.activeElement?.closest?.(".row"));
  const to = now < 0 ? (step > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, now + step));
  items[to].focus();
  items[to].scrollIntoView({ block: "nearest" });
  if (to === items.length - 1) loadMore();
}

// The images that a key acts on: the selection, or else the row with the focus.
function target() {
  if (isEverything) return "everything";
  const item = document.activeElement?.closest?.(".row");
  return selected.size ? chosen() : item ? [item.dataset.image] : [];
}

const ACTIONS = {
  j: () => move(1), k: () => move(-1),
  x: () => { const item = document.activeElement?.closest?.(".row"); if (item) select(item.dataset.image, !selected.has(item.dataset.image)); },
  a: () => withTarget(acknowledge), r: () => withTarget((images) => decide("reopen", images)),
  s: () => openDialog(target(), "snooze"), t: () => openDialog(target(), "tag"), i: () => openDialog(target(), "ignore"),
  u: () => undo(), "/": () => byId("search").focus(), "?": openHelp,
};

function withTarget(work) {
  const images = target();
  if (images.length) work(images); else say("Nothing is selected.");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("dialog").open) return;
  const isField = event.target.matches("select, textarea, input:not([type=checkbox])");
  if (event.key === "Escape") {
    if (isField) event.target.blur(); else selectAll(false);
  } else if (event.key === "Enter" && event.target.matches(".row")) {
    openDialog([event.target.dataset.image], "details");
  } else if (!isField && ACTIONS[event.key]) {
    event.preventDefault();
    ACTIONS[event.key]();
  }
});

async function start() {
  readView();
  for (const id of ["host", "tag", "by", "sort", "help"]) byId(id).hidden = false;
  const button = (label, letter, kind, work) => el(kind, { type: "button", onclick: work }, `${label} `, el("kbd", {}, letter));
  byId("acts").append(
    button("Acknowledge", "a", "button.primary", () => withTarget(acknowledge)),
    button("Snooze", "s", "button", ACTIONS.s), button("Tag", "t", "button", ACTIONS.t),
    button("Ignore", "i", "button", ACTIONS.i), button("Reopen", "r", "button", ACTIONS.r));
  byId("help").onclick = openHelp;
  byId("all").onchange = (event) => selectAll(event.target.checked);
  byId("everything").onclick = () => { isEverything = true; showSelection(); };
  byId("fresh").onclick = () => show(true);
  byId("more").onclick = loadMore;
  byId("filters").onsubmit = (event) => { event.preventDefault(); go({ search: byId("search").value.trim() }); };
  let typing = null;
  byId("search").oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ search: byId("search").value.trim() }, true), 200);
  };
  for (const id of ["host", "tag", "by", "sort"]) byId(id).onchange = (event) => go({ [id]: event.target.value });
  for (const tab of byId("tabs").children) {
    tab.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go({ state: STATES[[...byId("tabs").children].indexOf(tab)] });
    };
  }
  window.onpopstate = () => { readView(); showView(); load(); };
  await Promise.all([load(), choices()]);
  connect();
}

// The hosts and the tags to choose from.
async function choices() {
  const [hosts, tags] = await Promise.all([call("GET", "api/hosts"), call("GET", "api/tags")]).catch(() => [[], []]);
  const fill = (id, all, names) => byId(id).replaceChildren(el("option", { value: "" }, all), ...names.map((name) => el("option", { value: name }, safe(name))));
  fill("host", "All hosts", hosts.map(({ host }) => host));
  fill("tag", "All tags", tags.map(({ name }) => name));
  showView();
}

function showView() {
  byId("search").value = view.search;
  for (const id of ["host", "tag", "by", "sort"]) byId(id).value = view[id];
}

start();
