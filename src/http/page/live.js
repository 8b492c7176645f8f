// Live changes. A burst is one repaint. The list is not changed while the pointer or the focus is in it.
let waiting = 0;      // changes that are not shown yet
let counted = 0;      // how many of them were looked at
let timer = null;
let lastEvent = 0;
let lastTouch = 0;

function connect() {
  // `after` also brings the changes between the list and the connection.
  const feed = new EventSource(`api/changes?after=${asOf}`);
  const alive = () => { lastEvent = Date.now(); };
  feed.addEventListener("ping", alive);
  feed.addEventListener("reset", () => { alive(); changed(); });
  feed.addEventListener("update", () => { alive(); changed(); });
  let wasOpen = false;
  feed.onopen = () => { alive(); if (wasOpen) changed(); wasOpen = true; };
  feed.onerror = () => {
    // The browser reconnects by itself, unless the server refused the request.
    if (feed.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  };
}

function changed() {
  waiting += 1;
  if (document.hidden) byId("icon").href = "icon-new.svg";
  timer ??= setTimeout(show, 400);
}

function isBusy() {
  const list = byId("list");
  return list.matches(":hover") || list.contains(document.activeElement) && document.activeElement !== list
    || byId("dialog").open || selected.size > 0 || Date.now() - lastTouch < 3000;
}

async function show(isAsked = false) {
  timer = null;
  if (!waiting) return;
  if (!isAsked && isReading) {
    // Reading the list once more now would drop the answer that is on its way.
    timer = setTimeout(show, 400);
    return;
  }
  if (!isAsked && isBusy()) {
    if (counted !== waiting) await announce();
    timer ??= setTimeout(show, 1000);
    return;
  }
  await load({ keep: true });
}

// The list was read after this many of the waiting changes had come.
function shown(count) {
  waiting -= count;
  counted = 0;
  byId("fresh").hidden = true;
}

// Shows the counts of all states, and how many updates are new in this view.
async function announce() {
  counted = waiting;
  const own = generation;
  const [page, summary] = await firstPage(100).catch(() => []);
  if (!page || own !== generation) return;
  counts = summary;
  showCounts();
  const count = page.updates.filter((update) => !seen.has(key(update))).length;
  byId("fresh").textContent = count ? `${count === 100 ? "Many" : count} new: show` : "";
  byId("fresh").hidden = count === 0;
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) byId("icon").href = "icon.svg"; });
document.addEventListener("touchstart", () => { lastTouch = Date.now(); }, { passive: true });

// If a proxy buffers the feed, the page polls.
setInterval(() => { if (!document.hidden && Date.now() - lastEvent > 40000) changed(); }, 30000);
// Keeps the ages current.
setInterval(() => { for (const time of document.querySelectorAll(".row time")) time.textContent = ago(time.dateTime); }, 60000);
