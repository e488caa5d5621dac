/* Signing out of a browser that others use too: what is kept here unsent goes with it, after a question. */

import { assessmentsWithUnsent, forget } from "./kept.js";

export function watchSignOut(user) {
  const form = document.querySelector(".person form");
  form?.addEventListener("submit", (event) => {
    const unsent = assessmentsWithUnsent(user).size;
    const question = "Some of your answers were not saved yet and are kept only in this browser. Signing out erases them. Sign out?";
    if (unsent > 0 && !confirm(question)) event.preventDefault();
    else forget(user);
  });
}
