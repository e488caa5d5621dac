/* The line that says what became of what was typed; aloud only when it is in trouble, and once when it is over. */

const icons = { saved: "success", trouble: "warning", saving: "running", idle: "information" };

export class SaveState {
  constructor(form) {
    this.shown = form.querySelector("[data-save-state]");
    this.told = form.querySelector("[data-save-told]");
    this.isInTrouble = false;
  }

  /** `link` is where something can be done: `{words, href}` and what else a link takes. */
  say(mode, words, link) {
    this.shown.dataset.mode = mode;
    this.shown.querySelector("use").setAttribute("href", `#i-${icons[mode]}`);
    const more = link ? [" ", linkTo(link)] : [];
    this.shown.querySelector("[data-save-words]").replaceChildren(words, ...more);
    const isNews = mode === "trouble" || (mode === "saved" && this.isInTrouble);
    if (isNews && this.told.textContent !== words) this.told.textContent = words;
    if (isNews) this.isInTrouble = mode === "trouble";
  }

  /** Say the trouble aloud once more, to somebody who tried to go on. */
  repeat() {
    if (this.isInTrouble) this.told.replaceChildren(this.told.textContent);
  }
}

function linkTo({ words, ...properties }) {
  return Object.assign(document.createElement("a"), properties, { textContent: words });
}
