/* On a narrow screen a level is one line until it is chosen; this shows what explains all those of a competency. */

for (const button of document.querySelectorAll("[data-explain]")) {
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    button.textContent = isOpen ? "Explain each level" : "Hide the explanations";
  });
}
