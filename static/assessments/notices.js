/* Notices that are made in the browser: plain text only, whatever somebody typed. */

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function notice(kind, ...content) {
  const made = element("div", { className: `notice ${kind}` }, icon(kind), element("div", {}, ...content));
  if (kind !== "information") made.setAttribute("role", "alert");
  return made;
}

const labels = {
  level: "Level",
  evidence: "What shows this level",
  nextLevelFeedback: "What would show the next level",
  currentLevel: "Overall level",
  wayForward: "Way forward",
};

/** An answer as lines of text, each with its label. */
function textOf(value) {
  return Object.entries(value)
    .filter(([, part]) => part !== null && part !== "")
    .map(([name, part]) => `${labels[name]}: ${part}`)
    .join("\n");
}

function version(title, value) {
  return [element("p", { className: "kept-title" }, title), element("pre", { className: "kept-text", tabIndex: 0 }, textOf(value) || "Nothing.")];
}

function button(words, onclick, more = "") {
  return element("button", { type: "button", className: `button ${more}`, onclick }, words);
}

export function conflictNotice({ title, mine, stored, keepMine, takeTheirs }) {
  return notice(
    "warning",
    element("p", {}, `“${title}” was changed in another browser. Neither version is lost: choose which one stays.`),
    ...version("Yours, not saved yet", mine),
    ...version("The other one, saved", stored),
    element("div", { className: "actions" }, button("Keep mine", keepMine, "main"), button("Take the other one", takeTheirs)),
  );
}

export function copyNotice({ message, entries, discard }) {
  const text = entries.map(({ title, value }) => `${title}\n${textOf(value)}`).join("\n\n");
  const shown = element("pre", { className: "kept-text", tabIndex: 0 }, text);
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      copy.textContent = "Selected: press Ctrl+C";
    }
  });
  return notice(
    "warning",
    element("p", {}, message),
    element("p", { className: "kept-title" }, "Not saved, kept in this browser"),
    shown,
    element("div", { className: "actions" }, copy, button("Discard it", discard)),
  );
}
