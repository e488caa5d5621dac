/* Filling in an assessment: what is typed is kept in this browser at once, sent a moment later, and let go of only when
   the server has confirmed it. Without this script the page has its Save button. */

import { Card, conclusionPlace, placeOf, placeOfElement } from "./card.js";
import { Connection } from "./connection.js";
import { Kept, assessmentsWithUnsent } from "./kept.js";
import { conflictNotice, copyNotice, notice } from "./notices.js";
import { SaveState } from "./save_state.js";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

const pauseMs = 800;
const longestWaitMs = 5000;
const waitsSeconds = [1, 2, 4, 8, 15, 30];
const otherTabMs = 15_000;
const failingMs = 30_000;

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

class FillIn {
  constructor(form) {
    this.form = form;
    const { user, assessment } = form.dataset;
    this.kept = new Kept(user, assessment);
    this.connection = new Connection(form);
    this.cards = new Map(all("[data-answer]", form).map((root) => new Card(root)).map((card) => [card.place, card]));
    this.state = new SaveState(form);
    this.refusals = new Map(); // why the server does not take an answer as it is, by place
    this.notices = one("[data-fill-notices]");
    this.failures = 0;
    this.sending = null;
    this.isLocked = false;
    this.isSignedOut = false;
    this.sentElsewhere = 0;
    this.channel = new BroadcastChannel(`rungs:assessment:${user}:${assessment}`);
  }

  start() {
    // Or a browser that goes back fills in what stood here once, over what the server has by then.
    this.form.autocomplete = "off";
    for (const card of this.cards.values()) {
      card.start();
      const entry = this.kept.get(card.place);
      if (entry) this.resume(card, entry);
      else if (!same(card.stored, card.value)) this.typed(card); // before this script was here
    }
    this.form.addEventListener("input", (event) => this.changed(event));
    this.form.addEventListener("change", (event) => this.changed(event));
    this.form.addEventListener("submit", (event) => this.leave(event));
    for (const link of all("[data-step-to]")) link.addEventListener("click", (event) => this.follow(event, link.href));
    this.channel.addEventListener("message", ({ data }) => this.heard(data));
    window.addEventListener("online", () => this.again());
    window.addEventListener("offline", () => this.unsent.size > 0 && this.sayOffline());
    window.addEventListener("focus", () => this.isSignedOut && this.again());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.flush({ last: true });
      else if (this.isSignedOut) this.again();
    });
    window.addEventListener("beforeunload", (event) => {
      if (!this.kept.isAllStored) event.preventDefault();
    });
    this.say("idle", "Saves as you type.");
    this.focusHeading();
    const step = one(".categories [aria-current]");
    const steps = step?.closest("ol"); // on a narrow screen they stand in a row that scrolls
    if (steps) steps.scrollLeft = step.offsetLeft - steps.offsetLeft - 16;
    for (const [place, entry] of this.unsent) if (entry.conflict) this.showConflict(place);
    if (this.unsent.size > 0) this.flush();
    this.tell({ kind: "opened" });
  }

  /** Who comes from another category goes on from this one's heading, not from the top of the page. */
  focusHeading() {
    if (location.hash || one("[data-error-summary]") || !document.referrer.startsWith(new URL(this.form.dataset.page, location.href))) return;
    const heading = one(".category-title") ?? one("h1");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  resume(card, entry) {
    if (same(entry.value, card.stored)) return this.kept.drop(card.place);
    card.show(entry.value);
  }

  /* ---- what is typed ---- */

  changed(event) {
    const card = this.cards.get(placeOfElement(event.target));
    if (!card) return;
    // Leaving a field tells of a change once more, which was heard as it was typed.
    if (event.type === "change" && same(this.kept.get(card.place)?.value ?? card.stored, card.value)) return;
    card.count();
    this.typed(card);
  }

  typed(card) {
    const { place, value } = card;
    card.typedHere = value;
    this.refusals.delete(place);
    const before = this.kept.get(place);
    if (card.stored !== null && same(value, card.stored) && !before?.sent.length && !before?.conflict) {
      this.kept.drop(place);
      this.tell({ kind: "unchanged", place, value });
      return this.sayIfQuiet();
    }
    const entry = { title: card.title, sent: [], ...before, value, base: before?.base ?? card.revision };
    const isStored = this.kept.put(place, entry);
    this.tell({ kind: "typed", place, value });
    if (this.isLocked) return;
    if (isStored && !this.isSignedOut) this.say("saving", "Saving …");
    else if (!isStored) this.say("trouble", "This browser cannot keep what you type: do not close the page before it is saved.");
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    this.since ??= performance.now();
    const wait = Math.max(0, Math.min(pauseMs, this.since + longestWaitMs - performance.now()));
    this.timer = setTimeout(() => this.flush(), wait);
  }

  get unsent() {
    return this.kept.all();
  }

  /** What can be sent now: not what waits for a choice, nor what is refused or too long as it is. */
  sendable() {
    return new Map([...this.unsent].filter(([place, entry]) => !entry.conflict && !this.faultOf(place)));
  }

  faultOf(place) {
    const card = this.cards.get(place);
    return this.refusals.get(place) ?? (card?.isTooLong ? `a text of “${card.title}” is too long.` : undefined);
  }

  /** Whether sending more is of no use for now. */
  get isHeldUp() {
    return this.failures > 0 || this.isLocked || this.isSignedOut;
  }

  /* ---- sending ---- */

  /** Send all there is; one request at a time. Resolves when there is nothing left that could be sent, or it failed. */
  async flush({ last = false } = {}) {
    clearTimeout(this.timer);
    this.since = undefined;
    if (this.isLocked) return;
    while (this.sending) {
      if (last) return;
      await this.sending;
      if (this.isHeldUp) return;
    }
    const entries = this.sendable();
    if (entries.size === 0) return this.sayIfQuiet();
    this.sending = this.send(entries, { last });
    try {
      await this.sending;
    } finally {
      this.sending = null;
    }
    if (this.isHeldUp) return;
    if (this.sendable().size > 0) await this.flush();
    else this.sayIfQuiet();
  }

  async send(entries, { last }) {
    for (const [place, entry] of entries) {
      const sent = [...entry.sent.filter((value) => !same(value, entry.value)), entry.value].slice(-4);
      this.kept.put(place, { ...entry, sent });
    }
    if (!this.isSignedOut) this.say("saving", "Saving …");
    const answer = await this.connection.save(this.bodyOf(entries), { last });
    this.isSignedOut = answer.kind === "signed out";
    if (answer.kind === "saved" || answer.kind === "changed") return this.confirmed(entries, answer);
    if (answer.kind === "locked") return this.lock(answer.message);
    if (answer.kind === "signed out") return this.saySignedOut();
    if (answer.kind === "somebody else") return this.saySomebodyElse();
    if (answer.kind === "refused" || answer.kind === "failing") return this.refused(entries, answer, { last });
    this.failures += 1;
    this.sayOffline(answer.message);
    const wait = waitsSeconds[Math.min(this.failures, waitsSeconds.length) - 1] * (0.8 + 0.4 * Math.random());
    this.timer = setTimeout(() => this.flush(), wait * 1000);
  }

  /** Find out which ones it is that cannot be saved: they do not hold back the others. */
  async refused(entries, { kind, message }, { last }) {
    this.failures = 0;
    const places = [...entries.keys()];
    if (places.length === 1) {
      const [place] = places;
      if (!same(this.kept.get(place)?.value, entries.get(place).value)) return; // typed further: another one to try
      this.refusals.set(place, message);
      if (kind === "failing") this.tryLater();
    }
    for (const place of places.length === 1 ? [] : places) {
      const entry = this.kept.get(place);
      if (entry && !entry.conflict) await this.send(new Map([[place, entry]]), { last });
      if (this.isHeldUp) return;
    }
  }

  tryLater() {
    clearTimeout(this.failing);
    this.failing = setTimeout(() => this.again(), failingMs);
  }

  bodyOf(entries) {
    const answers = [];
    const body = { answers };
    for (const [place, { value, base }] of entries) {
      if (place === conclusionPlace) {
        body.conclusion = { ...value, revision: base };
        continue;
      }
      const [category, competency] = JSON.parse(place);
      answers.push({ category, competency, ...value, revision: base });
    }
    if (this.form.dataset.category) body.resumeAt = this.form.dataset.category;
    return body;
  }

  confirmed(entries, answer) {
    this.failures = 0;
    for (const outcome of answer.outcomes) {
      const { saved, revision } = outcome;
      const place = "category" in outcome ? placeOf(outcome.category, outcome.competency) : conclusionPlace;
      const value = "category" in outcome
        ? { level: outcome.level, evidence: outcome.evidence, nextLevelFeedback: outcome.nextLevelFeedback }
        : { currentLevel: outcome.currentLevel, wayForward: outcome.wayForward };
      // What this browser sent itself, without hearing that it arrived, is no other version.
      const isOurs = saved || (this.kept.get(place)?.sent ?? []).some((sent) => same(sent, value));
      if (isOurs) this.take(place, value, revision);
      else this.conflict(place, value, revision);
      if (isOurs) this.tell({ kind: "saved", place, value, revision });
    }
    this.showProgress(answer);
    if ("review" in this.form.dataset && [...entries.keys()].some((place) => place !== conclusionPlace)) this.reviewAgain();
  }

  /** The server has this now; what was typed meanwhile stands on it. */
  take(place, value, revision) {
    const card = this.cards.get(place);
    if (card && revision >= card.revision) {
      card.revision = revision;
      card.stored = value;
      if (!this.kept.get(place)?.conflict) card.conflictPlace.replaceChildren();
    }
    const entry = this.kept.get(place);
    if (!entry) return;
    if (same(entry.value, value)) {
      this.kept.drop(place);
      if (card) card.typedHere = undefined;
    } else this.kept.put(place, { ...entry, base: revision, sent: [] });
  }

  /** Try once more: the network may be back, or somebody signed in again. */
  async again() {
    this.failures = 0;
    this.refusals.clear();
    if (this.isSignedOut) {
      const who = await this.connection.renew().catch(() => "signed out");
      this.isSignedOut = who !== "ours";
      if (this.isSignedOut) return;
    }
    this.flush();
  }

  /* ---- two versions ---- */

  conflict(place, stored, revision) {
    const entry = this.kept.get(place);
    if (!entry) return;
    this.kept.put(place, { ...entry, sent: [], conflict: { stored, revision } });
    this.showConflict(place);
    this.tell({ kind: "conflict", place });
  }

  showConflict(place) {
    const entry = this.kept.get(place);
    const card = this.cards.get(place);
    const holder = card?.conflictPlace ?? this.holderFor(place);
    if (!entry?.conflict) return holder.replaceChildren();
    const { stored, revision } = entry.conflict;
    const done = () => {
      holder.replaceChildren();
      this.tell({ kind: "decided", place });
      if (card) one("textarea, select, input", card.root)?.focus();
      this.flush();
    };
    const keepMine = () => {
      this.kept.put(place, { ...this.kept.get(place), base: revision, conflict: undefined });
      done();
    };
    const takeTheirs = () => {
      this.kept.drop(place);
      if (card) {
        card.revision = revision;
        card.show(stored);
        card.stored = card.value;
      }
      this.tell({ kind: "taken", place, value: stored, revision });
      done();
    };
    holder.replaceChildren(conflictNotice({ title: entry.title, mine: entry.value, stored, keepMine, takeTheirs }));
    this.sayConflict(place);
  }

  sayConflict(place) {
    const href = `#${(this.cards.get(place)?.root ?? this.notices).id}`;
    this.say("trouble", "Not saved: changed elsewhere. Choose which version stays.", { href, words: "Show both" });
  }

  /** A place among the notices for an answer that is on another page. */
  holderFor(place) {
    const found = [...this.notices.children].find((element) => element.dataset.place === place);
    if (found) return found;
    const holder = document.createElement("div");
    holder.dataset.place = place;
    this.notices.append(holder);
    return holder;
  }

  /* ---- tabs of this browser ---- */

  tell(message) {
    this.channel.postMessage(message);
  }

  heard({ kind, place, value, revision }) {
    if (kind === "opened") return this.isSignedOut && this.again(); // by whoever signed in meanwhile
    const card = this.cards.get(place);
    if (kind === "typed" || kind === "unchanged") card?.show(value);
    if (kind === "typed") {
      this.refusals.delete(place);
      if (!this.isLocked) this.say("saving", "Being typed in another tab …");
      // The tab that is typed in sends it; if it is gone by then, this one does.
      clearTimeout(this.sentElsewhere);
      this.sentElsewhere = setTimeout(() => this.flush(), otherTabMs);
    }
    if (kind === "saved" || kind === "taken") {
      const mine = kind === "saved" ? card?.typedHere : undefined;
      this.take(place, value, revision);
      // Both tabs wrote in the same moment: what is kept may be the older one, what is shown here is not.
      if (mine && !same(mine, value)) this.typed(card);
      else if (card && !this.kept.get(place)) card.show(value);
    }
    if (kind === "conflict" || kind === "decided") this.showConflict(place);
    if (kind === "locked") this.lock("This assessment was submitted in another tab.");
    if (kind !== "typed") this.sayIfQuiet();
  }

  /* ---- leaving ---- */

  async leave(event) {
    const target = event.submitter;
    const isSubmission = target?.hasAttribute("data-submit");
    if (this.isSubmitting) return;
    event.preventDefault();
    const go = target?.dataset.go;
    if (isSubmission) {
      target.closest("dialog")?.close();
      this.isLeaving = true;
      this.failures = 0;
      await this.flush();
      this.isLeaving = false;
      if (this.unsent.size > 0) return this.sayUnsent();
      this.isSubmitting = true;
      setTimeout(() => this.form.requestSubmit(target)); // not within the submission that was held back
      return;
    }
    if (go) return this.goTo(go);
    this.failures = 0;
    await this.flush();
    this.sayUnsent();
  }

  follow(event, address) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || this.isLocked || this.unsent.size === 0) return;
    event.preventDefault();
    this.goTo(address);
  }

  async goTo(address) {
    this.failures = 0;
    await this.flush();
    // What waits for a choice is shown here; what could not be sent stays kept, and would meet a page that is not there.
    if (this.failures > 0 || this.isSignedOut || [...this.unsent.values()].some((entry) => entry.conflict)) return this.sayUnsent();
    location.assign(address);
  }

  sayUnsent() {
    const open = [...this.unsent].find(([, entry]) => entry.conflict);
    if (open) (this.cards.get(open[0])?.conflictPlace ?? this.notices).querySelector("button")?.focus();
    else this.sayIfQuiet();
    this.state.repeat();
  }

  reviewAgain() {
    if (!this.isLeaving && this.unsent.size === 0) location.reload();
  }

  /* ---- what is said ---- */

  say(mode, words, link) {
    this.state.say(mode, words, link);
  }

  sayIfQuiet() {
    const left = [...this.unsent];
    if (this.isHeldUp || this.sending) return;
    const open = left.find(([, entry]) => entry.conflict);
    if (open) return this.sayConflict(open[0]);
    const stuck = left.find(([place]) => this.faultOf(place));
    if (stuck) return this.sayStuck(stuck[0]);
    if (left.length > 0) return;
    if ([...this.cards.values()].some((card) => !same(card.value, card.stored))) {
      return this.say("trouble", "Not saved: it was erased in another tab. Change it here to keep it after all.");
    }
    const at = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date());
    this.say("saved", `Saved ${at}`);
  }

  sayStuck(place) {
    const { page } = this.form.dataset;
    const elsewhere = place === conclusionPlace ? `${page}review/` : `${page}?category=${encodeURIComponent(JSON.parse(place)[0])}`;
    const card = this.cards.get(place);
    const link = { href: card ? `#${card.root.id}` : elsewhere, words: "Show it" };
    this.say("trouble", `Not saved: ${this.faultOf(place)} It is kept in this browser.`, link);
  }

  sayOffline(message) {
    const kept = this.kept.isAllStored ? "kept in this browser" : "do not close this page";
    this.say("trouble", navigator.onLine && message ? `Not saved: ${message} Trying again; ${kept}.` : `Not saved: offline, ${kept}.`);
  }

  saySignedOut() {
    const href = `${document.body.dataset.signInUrl}?next=${encodeURIComponent(location.pathname + location.search)}`;
    const words = "Sign in again (new tab)";
    this.say("trouble", "Not saved: you are signed out. What you typed is kept in this browser and sent once you have signed in.", {
      href,
      words,
      target: "_blank",
      rel: "opener",
    });
  }

  saySomebodyElse() {
    this.isSignedOut = true;
    this.say("trouble", "Not saved: somebody else is signed in in this browser now. What you typed is kept for you.");
  }

  showProgress({ answeredCount }) {
    if (answeredCount === undefined) return;
    const category = this.form.dataset.category;
    if (!category) return;
    const step = all("[data-step-category]").find((link) => link.dataset.stepCategory === category);
    const count = step && one("[data-step-count]", step);
    if (!count) return;
    const given = [...this.cards.values()].filter((card) => card.value.level !== null).length;
    count.textContent = `${given} of ${count.dataset.total}`;
    const isDone = given === Number(count.dataset.total);
    const icon = one("[data-step-icon]", step);
    icon.classList.toggle("done", isDone);
    one("use", icon).setAttribute("href", isDone ? "#i-success" : "#i-pending");
  }

  lock(message) {
    if (this.isLocked) return;
    this.isLocked = true;
    for (const area of all("textarea", this.form)) area.readOnly = true;
    for (const field of all("input[type=radio], select, button", this.form)) field.disabled = true;
    this.say("trouble", `Not saved: ${message}`);
    showUnsent(this.notices, this.kept, message);
    this.tell({ kind: "locked" });
  }
}

/** What was typed and cannot be sent any more: to be read and copied, until somebody lets go of it. */
function showUnsent(holder, kept, message) {
  const entries = kept.all();
  if (entries.size === 0) return;
  const discard = () => {
    for (const place of kept.all().keys()) kept.drop(place);
    holder.replaceChildren();
  };
  holder.replaceChildren(copyNotice({ message, entries: [...entries.values()], discard }));
}

/** In the list: which assessments have something unsent in this browser. */
function markUnsent(list) {
  const unsent = assessmentsWithUnsent(list.dataset.unsentOf);
  for (const row of all("[data-assessment-row]", list)) {
    if (!unsent.has(row.dataset.assessmentRow)) continue;
    one("th", row).append(notice("warning", "Unsent text is kept in this browser: open it to send it."));
  }
}

const form = one("form[data-fill-in]");
const locked = one("[data-locked]");
const list = one("[data-unsent-of]");
if (form) new FillIn(form).start();
if (locked) {
  const message = "This assessment takes no more answers. What you typed last was not saved:";
  showUnsent(locked, new Kept(locked.dataset.user, locked.dataset.assessment), message);
}
if (list) markUnsent(list);
