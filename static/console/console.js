/* The back office: filters that are sent as one chooses, rows to choose, fields that find by name. */

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

/* ---- filters ----------------------------------------------------------------------------------------------- */

for (const form of all("[data-narrow-by]")) {
  const settled = (field) => field.type !== "date" || field.value === "" || Number(field.value.slice(0, 4)) >= 1970;
  // Each arrow key and each digit is a change: who types sends the form by Enter or its button.
  let isTyped = false;
  for (const kind of ["focusin", "pointerdown"]) form.addEventListener(kind, () => (isTyped = false));
  form.addEventListener("keydown", () => (isTyped = true));
  form.addEventListener("change", (event) => {
    const isChosen = event.target.matches("select, [type=date]") && !isTyped && settled(event.target);
    if (isChosen || event.target.type === "hidden") form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    // An address says what was chosen, and nothing of what was not.
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}

/* ---- rows to choose ---------------------------------------------------------------------------------------- */

for (const form of all("[data-choose]")) {
  const boxes = all("input[name=row]", form);
  const every = one("[data-choose-all]", form);
  const word = one("[data-chosen]", form);
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    every.checked = chosen === boxes.length;
    every.indeterminate = chosen > 0 && chosen < boxes.length;
    word.textContent = chosen === 0 ? "None chosen" : `${chosen} chosen`;
    for (const button of all("button[name=action]", form)) button.disabled = chosen === 0;
  };
  every.hidden = false;
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    show();
  });
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show);
  show();
}

/* ---- forms that are larger than a request may be: said before they are sent, so that nothing is lost -------------- */

const partBytes = 200; // what stands around each field

function tooLarge(form) {
  const { mostBytes, mostFields } = form.dataset;
  const fields = [...new FormData(form)];
  const bytes = new Blob(fields.flat().map((text) => String(text).replace(/\r?\n/g, "\r\n"))).size + fields.length * partBytes;
  if (bytes > Number(mostBytes)) {
    return `This has ${Math.ceil(bytes / 1024)} KB, and ${Math.floor(mostBytes / 1024)} KB can be sent at once. Shorten what you entered.`;
  }
  return fields.length > Number(mostFields) ? `This has ${fields.length} fields, and ${mostFields} can be sent at once. Take away rows.` : "";
}

for (const form of all("form[data-most-bytes]")) {
  const summary = document.createElement("div");
  summary.className = "summary";
  summary.tabIndex = -1;
  summary.setAttribute("role", "alert");
  const refuse = (event) => {
    const sentence = tooLarge(form);
    summary.remove();
    if (!sentence) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // its buttons stay as they are
    summary.replaceChildren(Object.assign(document.createElement("h2"), { textContent: "There is a problem" }), sentence);
    form.before(summary);
    summary.focus();
  };
  form.addEventListener("submit", refuse, { capture: true });
}

/* ---- fields that find by name: an ARIA combobox around a text box that takes a key ---------------------------- */

const waitMs = 150;
let comboboxes = 0;

class Combobox {
  constructor(field) {
    this.id = `suggested-${++comboboxes}`;
    this.key = field;
    this.address = field.dataset.suggestions;
    this.noun = field.dataset.noun;
    this.rows = [];
    this.active = -1;
    this.build();
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.box.addEventListener("focus", () => this.box.select());
    this.box.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the box keeps the focus
      const option = event.target.closest("[role=option]");
      if (option) this.choose(Number(option.dataset.at));
    });
  }

  /* The box that one sees takes the place of the field, which keeps the key and is sent. */
  build() {
    this.box = this.key.cloneNode();
    for (const name of ["name", "data-suggestions", "data-noun", "data-name"]) this.box.removeAttribute(name);
    this.box.value = this.key.dataset.name || this.key.value;
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.id };
    for (const [name, value] of Object.entries(roles)) this.box.setAttribute(name, value);
    this.key.type = "hidden";
    this.key.removeAttribute("id");
    this.list = document.createElement("ul");
    this.list.id = this.id;
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", `Every ${this.noun} found`);
    this.word = document.createElement("p");
    this.word.className = "visually-hidden";
    this.word.setAttribute("role", "status");
    const around = document.createElement("div");
    around.className = "combobox";
    this.key.before(around);
    around.append(this.key, this.box, this.list, this.word);
    if (this.key.value && !this.key.dataset.name) this.nameIt();
  }

  /* Show the name of the row whose key the field came with, unless somebody has begun to type. */
  async nameIt() {
    const key = this.key.value;
    try {
      const answer = await fetch(`${this.address}?key=${encodeURIComponent(key)}`);
      const [row] = answer.ok ? (await answer.json()).rows : [];
      if (row && this.box.value === key) this.box.value = row.name;
    } catch {
      // The key says it too.
    }
  }

  typed() {
    this.key.value = this.box.value; // whoever knows the key may type it
    clearTimeout(this.timer);
    this.asking?.abort();
    if (this.box.value.trim() === "") this.close();
    else this.timer = setTimeout(() => this.ask(), waitMs);
  }

  async ask() {
    clearTimeout(this.timer);
    this.asking?.abort(); // a slow answer must not come over a newer one
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await fetch(`${this.address}?q=${encodeURIComponent(this.box.value.trim())}`, {
        headers: { Accept: "application/json" },
        signal,
      });
      if (!answer.ok) throw new Error(answer.statusText);
      const found = await answer.json();
      this.show(found.rows, found.hasMore);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.show([], false);
      this.say("It cannot be looked up just now. Enter the whole key.", true);
    }
  }

  show(rows, hasMore) {
    if (document.activeElement !== this.box) return;
    this.rows = rows;
    this.active = -1;
    this.list.replaceChildren(
      ...rows.map((row, at) => {
        const option = document.createElement("li");
        option.id = `${this.id}-${at}`;
        option.dataset.at = at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = row.name;
        const note = row.note || (row.name === row.key ? "" : row.key);
        if (note) {
          const small = document.createElement("small");
          small.textContent = note;
          option.append(small);
        }
        return option;
      }),
    );
    this.list.hidden = rows.length === 0;
    this.box.setAttribute("aria-expanded", String(rows.length > 0));
    this.box.removeAttribute("aria-activedescendant");
    if (rows.length === 0) this.say(`No ${this.noun} begins so.`, true);
    else this.say(hasMore ? `The first ${rows.length}. Type more to see others.` : `${rows.length} found.`, hasMore);
  }

  say(sentence, visibly) {
    this.word.className = visibly ? "hint" : "visually-hidden";
    this.word.textContent = sentence;
  }

  close() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.list.hidden = true;
    this.rows = [];
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
    this.say("", false);
  }

  pressed(event) {
    const isOpen = !this.list.hidden;
    if (event.isComposing) return; // these keys choose among characters then
    if (event.key === "Escape") {
      this.close(); // also what is still being asked
      if (!isOpen) return;
    } else if (event.key === "Enter" && isOpen) this.choose(Math.max(0, this.active));
    else if (event.key === "ArrowDown" && !isOpen) this.ask();
    else if (event.key === "ArrowDown") this.move(this.active + 1);
    else if (event.key === "ArrowUp" && isOpen) this.move(this.active < 0 ? this.rows.length - 1 : this.active - 1);
    else return;
    event.preventDefault();
  }

  move(to) {
    this.active = (to + this.rows.length) % this.rows.length;
    all("[role=option]", this.list).forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === this.active));
      if (at === this.active) option.scrollIntoView({ block: "nearest" });
    });
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
  }

  choose(at) {
    const row = this.rows[at];
    this.key.value = row.key;
    this.box.value = row.name;
    this.close();
    this.say(`${row.name} is chosen.`, false);
    this.key.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

for (const field of all("input[data-suggestions]")) new Combobox(field);
