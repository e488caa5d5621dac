/* The form of a new ladder: a problem leads to its line, and what was typed outlives the page until it is stored. */

const form = document.querySelector("form[data-draft]");
const key = "draft:ladder";
const sent = "draft:ladder:sent";

/** Select a line of the text and bring it into view. */
function goToLine(area, number) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (number - 4) * height);
}

function startDraft() {
  const fields = ["ladder_version", "note", "content"].map((name) => form.elements[name]);
  const chosen = document.querySelector("[data-error-summary]") || location.search.includes("from=active");
  const draft = JSON.parse(sessionStorage.getItem(key) ?? "null");
  const values = () => fields.map((field) => field.value);
  if (draft && !chosen && draft.content && draft.content !== form.elements.content.value) {
    fields.forEach((field) => (field.value = draft[field.name]));
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.textContent = "What you had typed here is back. It is stored only once you press the button below.";
    document.querySelector("[data-draft-notice]").append(notice);
    globalThis.htmx?.trigger("[data-check]", "check");
  }
  form.addEventListener("input", () => {
    try {
      sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(fields.map((field, at) => [field.name, values()[at]]))));
    } catch {
      // no room, or not allowed: the page works without
    }
  });
}

if (form) {
  sessionStorage.removeItem(sent);
  startDraft();
  form.addEventListener("submit", () => sessionStorage.setItem(sent, "1"));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    goToLine(form.elements.content, Number(link.dataset.line));
  });
} else if (sessionStorage.getItem(sent)) {
  sessionStorage.removeItem(key); // sent, and led to the page of a version: it is stored
  sessionStorage.removeItem(sent);
}
