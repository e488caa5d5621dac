/* The way to the server: what it answers, told as what it means. A token that is old, as after signing in again in
   another tab, is renewed from the page itself. */

const timeoutMs = 20_000;
const mostKeptAlive = 60_000; // bytes that a browser still sends while its page closes

export class Connection {
  constructor(form) {
    this.form = form;
    this.token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  }

  /** Save; resolves to `{kind}`: saved, changed, locked, signed out, somebody else, refused, failing or unreachable. */
  async save(body, { last = false } = {}) {
    try {
      let answer = await this.patch(body, last);
      if (answer.status === 401 || answer.status === 403) {
        const who = await this.renew();
        if (who !== "ours") return { kind: who };
        answer = await this.patch(body, last);
      }
      return await told(answer);
    } catch {
      return { kind: "unreachable", message: "the server does not answer." };
    }
  }

  patch(body, last) {
    const text = JSON.stringify(body);
    return fetch(this.form.dataset.api, {
      method: "PATCH",
      body: text,
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
      redirect: "error",
      keepalive: last && new Blob([text]).size < mostKeptAlive,
      signal: AbortSignal.timeout(timeoutMs),
    });
  }

  /** Take the token of the page as it is served now; tells whether it is still served to the same person. */
  async renew() {
    const answer = await fetch(this.form.dataset.page, { signal: AbortSignal.timeout(timeoutMs) });
    if (new URL(answer.url).pathname !== new URL(this.form.dataset.page, location.href).pathname) return "signed out";
    if (isPassing(answer)) throw new Error(`The page was answered by ${answer.status}.`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const user = page.querySelector("[data-user]")?.dataset.user;
    if (!answer.ok || user !== this.form.dataset.user) return "somebody else";
    this.token = JSON.parse(page.body.getAttribute("hx-headers"))["X-CSRFToken"];
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = this.token;
    return "ours";
  }
}

const isPassing = ({ status }) => status === 429 || status >= 500;

async function told(answer) {
  if (answer.ok) {
    const { answers, conclusion, answeredCount } = await answer.json();
    return { kind: "saved", outcomes: conclusion ? [...answers, conclusion] : answers, answeredCount };
  }
  if (answer.status === 500) return { kind: "failing", message: "the server failed at one answer and is asked again soon." };
  if (isPassing(answer)) return { kind: "unreachable", message: "the server cannot save right now." };
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) {
    return { kind: "refused", message: `the way to the server does not let it through (${answer.status}).` };
  }
  const { code, message, details } = (await answer.json()).error;
  if (code === "answers_changed") return { kind: "changed", outcomes: details };
  if (code === "assessment_locked") return { kind: "locked", message };
  if (code === "contention") return { kind: "unreachable", message };
  if (answer.status === 401) return { kind: "signed out" };
  return { kind: "refused", message };
}
