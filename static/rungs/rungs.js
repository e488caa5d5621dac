/* The one script of Rungs: everything it adds, a page can do without. */

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const count = new Intl.NumberFormat("en");

/* ---- times, in the reader's zone --------------------------------------------------------------------------- */

/** A zone that this browser knows; undefined, which stands for its own, for any other. */
function knownZone(name) {
  try {
    return name && new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const timeZone = knownZone(document.documentElement.dataset.timeZone) || undefined;
const inZone = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
const clock = inZone({ hour: "2-digit", minute: "2-digit" });
const preciseClock = inZone({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayOfYear = inZone({ day: "numeric", month: "short" });
const fullDay = inZone({ day: "numeric", month: "short", year: "numeric" });
const yearOnly = inZone({ year: "numeric" });

function localTime(instant, precise) {
  if (precise) return preciseClock.format(instant);
  const now = new Date();
  if (fullDay.format(instant) === fullDay.format(now)) return `Today ${clock.format(instant)}`;
  const day = yearOnly.format(instant) === yearOnly.format(now) ? dayOfYear : fullDay;
  return `${day.format(instant)} ${clock.format(instant)}`;
}

/** Tell the server the browser's own zone, for the pages to come. */
function tellTimeZone() {
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!own || document.cookie.split("; ").includes(`time-zone=${own}`)) return;
  setCookie("time-zone", own);
}

function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
}

function localizeTimes(root) {
  for (const element of all("time[datetime]:not([data-local])", root)) {
    const instant = new Date(element.dateTime);
    if (Number.isNaN(instant.valueOf())) continue;
    element.textContent = localTime(instant, "precise" in element.dataset);
    element.dataset.local = "";
  }
}

/** Seconds as a person says them: "42 s", "3 min 20 s", "2 h 05 min". */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/* ---- theme ------------------------------------------------------------------------------------------------- */

const themes = ["auto", "light", "dark"];

function setTheme(theme) {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  setCookie("theme", theme);
  for (const button of all("[data-theme-switch]")) {
    one("[data-theme-word]", button).textContent = theme;
    one("use", button).setAttribute("href", `#i-${theme}`);
  }
  for (const radio of all("[data-theme-choice] input")) radio.checked = radio.value === theme;
}

function startTheme() {
  for (const button of all("[data-theme-switch]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const now = document.documentElement.dataset.theme ?? "auto";
      setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
    });
  }
  for (const radio of all("[data-theme-choice] input")) radio.addEventListener("change", () => setTheme(radio.value));
}

/* ---- dialogs and forms ------------------------------------------------------------------------------------- */

/** Without a script these dialogs are popovers; with one they are modal. */
function startDialogs() {
  for (const opener of all("[data-dialog]")) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog) continue;
    dialog.removeAttribute("popover");
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
    for (const closer of all("[data-dialog-close]", dialog)) {
      closer.addEventListener("click", (event) => {
        event.preventDefault();
        dialog.close();
      });
    }
  }
}

function startForms() {
  one("[data-error-summary]")?.focus();
  for (const form of all("form[data-once]")) {
    const lock = (locked) => all("button:not([type=button])", form).forEach((button) => (button.disabled = locked));
    form.addEventListener("submit", () => setTimeout(() => lock(true))); // once the pressed one's name is sent
    window.addEventListener("pageshow", () => lock(false));
  }
  for (const element of all("[data-countdown]")) {
    let left = Number(element.dataset.countdown);
    const timer = setInterval(() => {
      left -= 1;
      element.textContent = left > 0 ? `${left} ${left === 1 ? "second" : "seconds"}` : "a moment";
      if (left <= 0) clearInterval(timer);
    }, 1000);
  }
}

/* What a page keeps for somebody until the server has it, under names that begin so, goes when they sign out: others may
   use this browser too. */

function startSignOut() {
  const start = `rungs:unsent:${document.body.dataset.user}:`;
  const question = "Some of what you typed was not saved yet and is kept only in this browser. Signing out erases it. Sign out?";
  one("[data-sign-out]")?.addEventListener("submit", (event) => {
    let names = [];
    try {
      names = Object.keys(localStorage).filter((name) => name.startsWith(start));
    } catch {
      return; // nothing can be kept here
    }
    if (names.length > 0 && !confirm(question)) event.preventDefault();
    else names.forEach((name) => localStorage.removeItem(name));
  });
}

/* Rows inside a form: without a script there is one empty row at a time, with one as many as somebody asks for. */

const rowPlace = "__i__";

/** Each level of rows has its own place in a name; the first one is that of the outermost rows still to be numbered. */
function numberRow(root, number) {
  for (const element of root.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      if (!attribute.value.includes(rowPlace)) continue;
      attribute.value = attribute.value.split(" ").map((word) => word.replace(rowPlace, String(number))).join(" ");
    }
    if (element instanceof HTMLTemplateElement) numberRow(element.content, number);
  }
}

function startRows(root = document) {
  for (const rows of all("[data-rows]", root)) {
    const add = one(":scope > [data-rows-add]", rows);
    const template = one(":scope > [data-rows-template]", rows);
    const count = one(":scope > [data-rows-count]", rows);
    add.hidden = false;
    add.addEventListener("click", () => {
      const row = template.content.cloneNode(true);
      numberRow(row, Number(count.value));
      count.value = String(Number(count.value) + 1);
      startRows(row);
      const first = one("input, select, textarea", row);
      template.before(row);
      first.focus();
    });
  }
}

/* ---- htmx -------------------------------------------------------------------------------------------------- */

function signInAddress() {
  return `${document.body.dataset.signInUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
}

function startHtmx() {
  document.addEventListener("htmx:load", (event) => localizeTimes(event.detail.elt));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname === document.body.dataset.signInUrl) {
      event.detail.shouldSwap = false;
      location.assign(signInAddress());
    } else if (xhr.status < 400) {
      all("[data-transient]").forEach((notice) => notice.remove());
    }
  });
}

/* ---- the host's screens, one by one ------------------------------------------------------------------------ */

async function copyText(button, text) {
  const word = one("[data-copy-word]", button);
  button.dataset.idle ??= word.textContent;
  try {
    await navigator.clipboard.writeText(text.textContent);
    word.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text);
    word.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => (word.textContent = button.dataset.idle), 2500);
}

function startCopying() {
  for (const button of all("[data-copy-from]")) {
    button.hidden = false;
    button.addEventListener("click", () => copyText(button, document.getElementById(button.dataset.copyFrom)));
  }
  for (const button of all("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}

function startViewer() {
  const viewer = one("[data-viewer]");
  if (!viewer || !one(".screen", viewer)) return;
  const screens = all(".screen", viewer);
  const links = all(".steps a", viewer);
  let shown = 0;

  const show = (index, remember) => {
    shown = Math.min(Math.max(index, 0), screens.length - 1);
    screens.forEach((screen, at) => screen.toggleAttribute("data-shown", at === shown));
    links.forEach((link, at) => {
      if (at === shown) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    if (remember) history.replaceState(history.state, "", `#${screens[shown].id}`);
  };
  // What went wrong is on the last screen; what went well is read from the first.
  const first = "lastFirst" in viewer.dataset ? screens.length - 1 : 0;
  const showFromAddress = () => {
    const named = screens.findIndex((screen) => `#${screen.id}` === location.hash);
    show(named < 0 ? first : named, false);
  };

  viewer.dataset.one = "";
  all("[data-viewer-actions], [data-viewer-help]").forEach((element) => (element.hidden = false));
  links.forEach((link, at) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(at, true);
    }),
  );
  viewer.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.step) {
      show(shown + Number(button.dataset.step), true);
      const next = one(`[data-step="${button.dataset.step}"]:not(:disabled)`, screens[shown]);
      (next ?? one("[data-copy]", screens[shown])).focus();
    } else if (button && "copy" in button.dataset) {
      copyText(button, one("[data-screen-text]", button.closest(".screen")));
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, dialog, [popover]")) return;
    const move = { ArrowLeft: shown - 1, ArrowRight: shown + 1, Home: 0, End: screens.length - 1 }[event.key];
    if (move === undefined) return;
    const { target } = event;
    if (target.matches("pre, [role=group]") && target.scrollWidth > target.clientWidth) return;
    event.preventDefault();
    const inside = viewer.contains(target) && target.matches("pre");
    show(move, true);
    if (inside) one("pre", screens[shown]).focus();
  });
  window.addEventListener("hashchange", showFromAddress);
  showFromAddress();
}

/* ---- a run, live ------------------------------------------------------------------------------------------- */

const finalStatuses = new Set(["success", "failed", "timeout", "cancelled"]);
const progressNumbers = ["current", "percent", "counts", "ratePerMinute", "secondsLeft"];
const newestRows = 200;
const pollMs = 2000;
const resyncMs = 3000;
const backOffSeconds = [1, 2, 4, 8, 15];

class RunPage {
  constructor(root) {
    this.root = root;
    this.filter = root.dataset.filter;
    this.results = one("#results", root);
    this.newest = one("[data-newest]", root);
    this.rowTemplate = one("[data-result-row]", root).content;
    this.statusTemplates = one("[data-statuses]", root).content;
    this.state = { status: root.dataset.status };
    this.pending = new Map();
    this.seq = null;
    this.awaitingState = true;
    this.failures = 0;
    this.polling = false;
    this.flushedAt = 0;
    this.ended = false;
  }

  start() {
    this.showTaken(one("[data-time-taken]", this.root).dataset);
    if (finalStatuses.has(this.state.status)) return;
    for (const form of all("form[data-control]")) form.addEventListener("submit", (event) => this.control(event));
    this.results.addEventListener("htmx:afterSettle", () => this.dropDoubles());
    this.root.addEventListener("htmx:beforeOnLoad", (event) => {
      // Elsewhere htmx would go to the sign-in page; here what one watches stays, with the reason beside it.
      if (event.detail.xhr.status !== 401) return;
      event.preventDefault();
      this.stop(this.signInNotice());
    });
    this.connect();
  }

  /* The connection: a socket, and while there is none, polling. */

  connect() {
    const address = new URL(this.root.dataset.socketUrl, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.awaitingState = true;
    try {
      this.socket = new WebSocket(address);
    } catch {
      return this.lost(); /* no sockets here at all: the page polls */
    }
    this.socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => this.lost(event.code));
  }

  lost(code) {
    clearTimeout(this.resyncTimer);
    if (this.ended) return;
    if (code === 4401) return this.stop(this.signInNotice());
    if (code === 4404) return this.stop("This run is not available to you. What you see may be out of date.");
    this.awaitingState = true;
    if (!this.polling) this.say("reconnecting", "Reconnecting");
    const wait = backOffSeconds[Math.min(this.failures, backOffSeconds.length - 1)];
    this.failures += 1;
    setTimeout(() => this.ended || this.connect(), wait * 1000);
    this.poll();
  }

  poll() {
    if (this.pollTimer || this.ended) return;
    this.pollTimer = setTimeout(async () => {
      await this.readState();
      this.pollTimer = null;
      if (this.awaitingState) this.poll();
    }, pollMs);
  }

  async readState() {
    if (!this.awaitingState || this.ended) return;
    let answer;
    try {
      answer = await fetch(this.root.dataset.stateUrl, { headers: { Accept: "application/json" }, cache: "no-store" });
    } catch {
      answer = null; // The network is away: the next poll asks again.
    }
    this.polling = Boolean(answer?.ok);
    if (!answer) return;
    if (answer.redirected || answer.status === 401) return this.stop(this.signInNotice());
    if (answer.status === 404) return this.stop("This run is not available to you. What you see may be out of date.");
    if (!this.polling) return;
    const state = await answer.json();
    if (!this.awaitingState || this.ended) return;
    this.say("polling", "Polling every 2 s");
    this.replace(state);
  }

  stop(notice) {
    this.ended = true;
    clearTimeout(this.pollTimer);
    clearTimeout(this.resyncTimer);
    this.socket?.close();
    one("[data-live-word]").hidden = true;
    if (notice) this.notify("warning", notice);
  }

  say(mode, words) {
    const word = one("[data-live-word]");
    word.hidden = false;
    word.dataset.mode = mode;
    if (word.textContent !== words) word.textContent = words;
  }

  signInNotice() {
    const link = document.createElement("a");
    link.href = signInAddress();
    link.textContent = "Sign in again";
    return ["You are signed out. ", link, " to go on watching. The run itself goes on."];
  }

  notify(kind, content) {
    const notice = document.createElement("div");
    notice.className = `notice ${kind}`;
    const icon = one(".icon", this.statusTemplates).cloneNode(true);
    one("use", icon).setAttribute("href", `#i-${kind}`);
    const words = document.createElement("div");
    words.append(...[content].flat());
    notice.append(icon, words);
    one("[data-run-notice]", this.root).replaceChildren(notice);
  }

  /* What arrives. `seq` is [fence, n]: a new fence or a gap means that something was missed. */

  receive(message) {
    if (message.type === "ast.state") {
      const again = this.failures > 0 || this.seq !== null;
      clearTimeout(this.resyncTimer);
      // The store is written after the worker has told: under one fence numbers that go back are only older.
      const older = message.seq[0] === this.seq?.[0] && message.payload.current < this.state.current;
      if (older) for (const name of progressNumbers) delete message.payload[name];
      this.seq = message.seq;
      this.awaitingState = false;
      this.failures = 0;
      this.polling = false;
      this.say("live", "Live");
      this.replace(message.payload);
      if (again && !this.ended) this.refreshResults();
      return;
    }
    if (message.type === "ast.error") return this.refused(message.payload.message);
    if (this.awaitingState || !this.follows(message.seq)) return;
    this.seq = message.seq;
    this.follow(message);
  }

  follows(seq) {
    const [fence, n] = seq;
    const [lastFence, last] = this.seq;
    if (fence < lastFence || (fence === lastFence && n <= last)) return false;
    if (fence === lastFence && n === last + 1) return true;
    this.resync();
    return false;
  }

  resync() {
    this.awaitingState = true;
    clearTimeout(this.resyncTimer);
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.send("ast.resync");
    this.resyncTimer = setTimeout(() => this.resync(), resyncMs);
  }

  send(type, payload) {
    this.socket.send(JSON.stringify({ type, ...(payload && { payload }) }));
  }

  follow({ type, payload }) {
    if (type === "ast.item_results") return this.queue(payload.items);
    if (type === "ast.paused") this.showState({ status: "paused", control: "pause", currentItems: [] });
    if (type === "ast.status" || type === "ast.progress") this.showState(payload);
    this.endIfFinal();
  }

  replace(state) {
    this.showState(state);
    this.queue([...(state.recent ?? [])].reverse());
    this.endIfFinal();
  }

  endIfFinal() {
    if (this.ended || !finalStatuses.has(this.state.status)) return;
    this.stop();
    this.flush();
    for (const element of all("[data-control], [data-control-opener]")) element.hidden = true;
    one("dialog[open]")?.close();
    this.newest.replaceChildren();
    this.refreshResults();
  }

  showTime(selector, instant) {
    const holder = one(selector);
    if (!instant || one("time", holder)?.dateTime === instant) return;
    const time = document.createElement("time");
    time.dateTime = instant;
    time.title = `${instant.slice(0, 19).replace("T", " ")} UTC`;
    holder.replaceChildren(time);
    localizeTimes(holder);
  }

  refreshResults() {
    this.results.dispatchEvent(new Event("refresh"));
  }

  /* What is shown. */

  showState(news) {
    const state = Object.assign(this.state, news);
    const field = (name, text) => (one(`[data-field=${name}]`, this.root).textContent = text);
    if (news.counts) {
      for (const [name, number] of Object.entries({ ...state.counts, total: state.total })) {
        for (const element of all(`[data-count="${name}"]`)) element.textContent = count.format(number);
      }
      this.showBar(state);
      field("percent", state.percent);
      field("current", count.format(state.current));
      field("total", count.format(state.total));
      field("rate", state.ratePerMinute ? count.format(Math.round(state.ratePerMinute)) : "–");
    }
    field("left", state.status !== "running" || state.secondsLeft == null ? "–" : duration(state.secondsLeft));
    this.showTaken({ from: state.startedAt, to: state.completedAt });
    this.showNow(finalStatuses.has(state.status) ? [] : (state.currentItems ?? []));
    this.showStatus(state);
    this.showTime("[data-started]", state.startedAt);
    this.showTime("[data-ended]", state.completedAt);
  }

  showTaken({ from, to }) {
    if (!from || !to) return;
    one("[data-field=taken]", this.root).textContent = duration((new Date(to) - new Date(from)) / 1000);
    one("[data-time-taken]", this.root).hidden = false;
    one("[data-time-left]", this.root).hidden = true;
  }

  showBar({ current, total, counts }) {
    const bar = one("[data-bar]", this.root);
    const { success, failed, unknown, skipped } = counts;
    const width = (part, number) => one(`.part-${part}`, bar).setAttribute("width", number);
    bar.setAttribute("viewBox", `0 0 ${total || 1} 1`);
    width("success", success);
    width("failed", success + failed);
    width("unknown", success + failed + unknown);
    width("skipped", success + failed + unknown + skipped);
    const progress = one("[data-progressbar]", this.root);
    progress.setAttribute("aria-valuemax", total);
    progress.setAttribute("aria-valuenow", current);
  }

  showNow(items) {
    one("[data-now]", this.root).hidden = items.length === 0;
    const chips = items.map((item) => {
      const chip = document.createElement("span");
      chip.className = "chip";
      chip.textContent = item;
      return chip;
    });
    one("[data-current-items]", this.root).replaceChildren(...chips);
    const ids = new Set(items.map((item) => `result-${item}`));
    for (const row of all('tr[data-status="running"]', this.root)) if (!ids.has(row.id)) this.mark(row, "pending");
    for (const id of ids) {
      const row = document.getElementById(id);
      if (row?.dataset.status === "pending") this.mark(row, "running");
    }
  }

  showStatus({ status, control, waitingReason, reason: outcome }) {
    const badge = this.statusOf(status === "success" ? "completed" : status);
    badge.classList.add("badge");
    const holder = one("[data-run-status]");
    if (holder.textContent.trim() !== badge.textContent.trim()) holder.replaceChildren(badge);
    for (const form of all("form[data-control]")) {
      all("button", form).forEach((button) => (button.disabled = false));
      if (form.dataset.control === "pause") form.hidden = control !== "run";
      if (form.dataset.control === "resume") form.hidden = control !== "pause";
    }
    for (const opener of all("[data-control-opener]")) opener.hidden = control === "cancel";
    const moving = status === "running" && {
      pause: "Pausing: policies under way finish first.",
      cancel: "Cancelling: policies under way end within 5 seconds.",
    }[control];
    const reason = (finalStatuses.has(status) ? outcome : waitingReason || moving) || "";
    const words = one("[data-field=waiting]", this.root);
    if (words.textContent.trim() !== reason) words.textContent = reason;
    one("[data-waiting]", this.root).hidden = !reason;
  }

  statusOf(status) {
    return (one(`.${status}`, this.statusTemplates) ?? one(".unknown", this.statusTemplates)).cloneNode(true);
  }

  /* Results: rows on the page change in place; others come on top, at most 200 of them. */

  queue(items) {
    for (const item of items) {
      this.pending.delete(item.itemId);
      this.pending.set(item.itemId, item);
    }
    if (this.pending.size > 0 && !this.frame) this.frame = requestAnimationFrame(() => this.flush());
  }

  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const items = [...this.pending.values()];
    this.pending.clear();
    const wanted = items.filter((item) => !this.filter || item.status === this.filter);
    const keep = new Set(wanted.slice(-newestRows));
    const calm = items.length <= 3 && performance.now() - this.flushedAt > 250;
    this.flushedAt = performance.now();
    for (const item of items) {
      const row = document.getElementById(`result-${item.itemId}`);
      if (this.filter && item.status !== this.filter) row?.remove();
      else if (row) this.fill(row, item, calm);
      else if (keep.has(item)) this.newest.prepend(this.fill(this.newRow(item), item, calm));
    }
    while (this.newest.rows.length > newestRows) this.newest.rows[this.newest.rows.length - 1].remove();
    if (wanted.length > 0) one("[data-none]", this.results)?.remove();
  }

  newRow({ itemId }) {
    const row = one("tr", this.rowTemplate).cloneNode(true);
    row.id = `result-${itemId}`;
    const name = one("a, span", row);
    name.textContent = itemId;
    if (name.href) name.setAttribute("href", name.getAttribute("href").replace(/0{9}(?!.*0{9})/, encodeURIComponent(itemId)));
    return row;
  }

  fill(row, { status, durationMs, error, attempt }, visibly) {
    if (visibly && row.dataset.status !== status) row.classList.add("fresh");
    this.mark(row, status);
    row.cells[2].textContent = durationMs == null ? "–" : `${count.format(durationMs)} ms`;
    row.cells[3].textContent = attempt ?? "–";
    row.cells[4].textContent = error ?? "";
    return row;
  }

  mark(row, status) {
    row.dataset.status = status;
    row.cells[1].replaceChildren(this.statusOf(status));
  }

  dropDoubles() {
    const there = new Set([...this.results.rows].map((row) => row.id));
    for (const row of [...this.newest.rows]) if (there.has(row.id)) row.remove();
  }

  /* Pause, resume, cancel: over the socket while it is open, else as the plain form that they are. */

  control(event) {
    const form = event.target;
    if (this.awaitingState || this.socket?.readyState !== WebSocket.OPEN) return;
    event.preventDefault();
    this.send("ast.control", { action: form.dataset.control });
    all("button", form).forEach((button) => (button.disabled = true));
    form.closest("dialog")?.close();
    setTimeout(() => all("button", form).forEach((button) => (button.disabled = false)), 5000);
  }

  refused(sentence) {
    this.notify("warning", sentence);
    this.showState({});
  }
}

/* ---- start ------------------------------------------------------------------------------------------------- */

tellTimeZone();
localizeTimes(document);
startTheme();
startDialogs();
startForms();
startSignOut();
startRows();
startHtmx();
startCopying();
startViewer();
for (const root of all("[data-run]")) new RunPage(root).start();
