/* The back office: filters that are sent as one chooses, rows to choose, fields that find by name. */

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

/* ---- filters ----------------------------------------------------------------------------------------------- */

for (const form of all("[data-narrow-by]")) {
  const settled = (field) => field.type !== "date" || field.value === "" || Number(field.value.slice(0, 4)) >= 1970;
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, [type=date]") && settled(event.target)) form.requestSubmit();
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
