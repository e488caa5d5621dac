/* The fields of one answer on the page: read, written, and where its revision and its conflict stand. */

const all = (selector, root) => [...root.querySelectorAll(selector)];
const one = (selector, root) => root.querySelector(selector);
const number = new Intl.NumberFormat("en");

export const conclusionPlace = "conclusion";
export const placeOf = (category, competency) => JSON.stringify([category, competency]);

/** The place of the answer that an element belongs to; undefined outside of any. */
export function placeOfElement(element) {
  const root = element.closest?.("[data-answer]");
  if (!root) return undefined;
  return "conclusion" in root.dataset ? conclusionPlace : placeOf(root.dataset.category, root.dataset.competency);
}

/** A text as the server takes it: with its own line ends, and without half a character. */
function sent(text) {
  const lines = text.replaceAll("\r\n", "\n");
  return lines.toWellFormed ? lines.toWellFormed() : lines;
}

const levelOf = (text) => Number(text) || null;

/** `stored` is what the server has, as far as this page knows; `typedHere` what was typed in this tab and is not saved. */
export class Card {
  constructor(root) {
    this.root = root;
    this.isConclusion = "conclusion" in root.dataset;
    this.place = placeOfElement(root);
    this.title = this.isConclusion ? "All in all" : root.dataset.competency;
    this.revisionField = one("[data-revision]", root);
    this.conflictPlace = one("[data-conflict-place]", root);
    this.clearer = one("[data-clear-level]", root);
    // A form that was refused shows what was typed, which no server has.
    this.stored = one(".wrong, .stored", root) ? null : this.served;
  }

  start() {
    this.clearer?.addEventListener("click", () => this.clearLevel());
    this.count();
  }

  get revision() {
    return Number(this.revisionField.value);
  }

  set revision(revision) {
    this.revisionField.value = revision;
  }

  area(part) {
    return one(`[data-part=${part}]`, this.root);
  }

  get levels() {
    return all("[data-part=level]", this.root);
  }

  get value() {
    if (this.isConclusion) {
      return { currentLevel: levelOf(this.area("level").value), wayForward: sent(this.area("way").value) };
    }
    return {
      level: levelOf(this.levels.find((radio) => radio.checked)?.value),
      evidence: sent(this.area("evidence").value),
      nextLevelFeedback: sent(this.area("next").value),
    };
  }

  /** The answer as the page came from the server, whatever was typed or filled in since. */
  get served() {
    if (this.isConclusion) {
      const option = [...this.area("level").options].find((each) => each.defaultSelected);
      return { currentLevel: levelOf(option?.value), wayForward: sent(this.area("way").defaultValue) };
    }
    return {
      level: levelOf(this.levels.find((radio) => radio.defaultChecked)?.value),
      evidence: sent(this.area("evidence").defaultValue),
      nextLevelFeedback: sent(this.area("next").defaultValue),
    };
  }

  show(value) {
    this.typedHere = undefined;
    if (this.isConclusion) this.area("level").value = value.currentLevel ?? "";
    else for (const radio of this.levels) radio.checked = levelOf(radio.value) === value.level;
    const texts = this.isConclusion ? { way: value.wayForward } : { evidence: value.evidence, next: value.nextLevelFeedback };
    for (const [part, text] of Object.entries(texts)) this.showText(this.area(part), text);
    this.count();
  }

  showText(area, text) {
    if (area.value === text) return;
    const { selectionStart, selectionEnd } = area;
    area.value = text;
    if (area === document.activeElement) area.setSelectionRange(selectionStart, selectionEnd);
  }

  clearLevel() {
    const [first] = this.levels;
    for (const radio of this.levels) radio.checked = false;
    first.focus();
    first.dispatchEvent(new Event("input", { bubbles: true }));
  }

  get texts() {
    return all("textarea[data-most]", this.root);
  }

  /** By how many characters, as the server counts them, a text is too long. */
  static over(area) {
    return [...sent(area.value)].length - Number(area.dataset.most);
  }

  get isTooLong() {
    return this.texts.some((area) => Card.over(area) > 0);
  }

  /** Follow what is typed: how much room is left, and whether there is a level to take back. */
  count() {
    if (this.clearer) this.clearer.hidden = this.value.level === null;
    for (const area of this.texts) {
      const over = Card.over(area);
      const words = document.getElementById(`${area.id}-count`);
      words.hidden = -over > Number(area.dataset.most) / 10;
      words.classList.toggle("over", over > 0);
      const text = over > 0 ? `${number.format(over)} characters too many: this is not saved.` : `${number.format(-over)} characters left.`;
      if (!words.hidden && words.textContent !== text) words.textContent = text;
    }
  }
}
