/* What this browser still keeps where nothing can be sent: under a locked assessment, and in the list. */

import { assessmentsWithUnsent } from "./kept.js";
import { copyNotice, notice } from "./notices.js";

/** What was typed and cannot be sent any more: to be read and copied, until somebody lets go of it. */
export function showUnsent(holder, kept, message) {
  const entries = kept.all();
  if (entries.size === 0) return;
  const discard = () => {
    for (const place of kept.all().keys()) kept.drop(place);
    holder.replaceChildren();
  };
  holder.replaceChildren(copyNotice({ message, entries: [...entries.values()], discard }));
}

/** In the list: which assessments have something unsent in this browser. */
export function markUnsent(list) {
  const unsent = assessmentsWithUnsent(list.dataset.unsentOf);
  for (const row of list.querySelectorAll("[data-assessment-row]")) {
    if (!unsent.has(row.dataset.assessmentRow)) continue;
    row.querySelector("th").append(notice("warning", "Unsent text is kept in this browser: open it to send it."));
  }
}
