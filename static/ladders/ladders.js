/* The form of a new ladder: a problem leads to its line, and what was typed outlives the page until it is stored. */

const form = document.querySelector("form[data-draft]");
const key = `rungs:unsent:${document.body.dataset.user}:ladder`; // in this tab only, and for this person only
const sent = `${key}:sent`;

/** Select a line of the text and bring it into view. */
function goToLine(area, number) {
  const lines = area.value.split("\n");
  const before = lines.slice(0, number - 1).map((line) => `${line}\n`).join("");
  area.focus();
  area.setSelectionRange(before.length, before.length + (lines[number - 1] ?? "").length);
  area.scrollTop = Math.max(0, heightOf(area, before) - area.clientHeight / 3);
}

/** How much room a text takes in the area: long lines are wrapped there. */
function heightOf(area, text) {
  const probe = area.cloneNode();
  probe.removeAttribute("id");
  Object.assign(probe.style, { position: "absolute", visibility: "hidden", height: "0", minHeight: "0", width: `${area.clientWidth}px` });
  area.after(probe);
  probe.value = text;
  const height = probe.scrollHeight;
  probe.remove();
  return height;
}

/** What this tab keeps; nothing where the browser does not let it. */
const kept = {
  read(name) {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    } catch {
      // no room, or not allowed: the page works without
    }
  },
};

function startDraft() {
  const fields = ["ladder_version", "note", "content"].map((name) => form.elements[name]);
  const chosen = document.querySelector("[data-error-summary]") || location.search.includes("from=active");
  const draft = JSON.parse(kept.read(key) ?? "null");
  if (!chosen && draft?.content && draft.content !== form.elements.content.value) {
    for (const field of fields) field.value = draft[field.name];
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.textContent = "What you had typed here is back. It is stored only once you press the button below.";
    document.querySelector("[data-draft-notice]").append(notice);
    // Once htmx, which waits for the same event, listens to it.
    addEventListener("DOMContentLoaded", () => setTimeout(() => globalThis.htmx?.trigger("[data-check]", "check")));
  }
  form.addEventListener("input", () => {
    kept.write(key, JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, field.value]))));
  });
}

if (form) {
  kept.write(sent, null);
  startDraft();
  form.addEventListener("submit", () => kept.write(sent, "1"));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    goToLine(form.elements.content, Number(link.dataset.line));
  });
} else if (kept.read(sent)) {
  kept.write(key, null); // sent, and led to the page of a version: it is stored
  kept.write(sent, null);
}
