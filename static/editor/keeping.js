// What is typed is kept on the server every few seconds, and in this browser while the server cannot be reached.

import { LocalCopy } from "./local.js";
import { readFields } from "./fields.js";

const REST = 2000; // after the last key
const LONGEST = 5000; // while the typing goes on
const AGAIN = 5000; // after a failure
// Browsers let so much leave with a page that is going away.
const KEEPALIVE_BYTES = 60_000;

export class Keeper {
  constructor(form, token, state) {
    Object.assign(this, { form, token, state });
    this.key = form.dataset.key;
    this.submission = form.elements.submission.value;
    this.local = new LocalCopy(form.dataset.person, this.key, this.submission);
    this.changes = 0; // how often something was typed
    this.kept = 0; // how much of that the server has
    this.isSending = false;
    this.isLeaving = false;
    this.isUnsent = true; // what arrives behind a save of this form is no text of its own then
    this.timer = 0;
    this.deadline = 0;
    form.addEventListener("input", () => this.touch());
    form.addEventListener("submit", () => this.submitted());
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && this.comeBack());
    addEventListener("online", () => this.changes > this.kept && this.send());
    document.addEventListener("visibilitychange", () => document.hidden && this.leave());
  }

  get isDirty() {
    return this.changes > this.kept;
  }

  // At every key: two numbers and a timer, whatever the length of the text.
  touch() {
    this.changes += 1;
    const now = performance.now();
    if (!this.deadline) this.deadline = now + LONGEST;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), Math.max(0, Math.min(REST, this.deadline - now)));
  }

  keepNow() {
    this.changes += 1;
    clearTimeout(this.timer);
    return this.send();
  }

  async send() {
    if (this.isSending || this.isLeaving || !this.isDirty) return;
    this.isSending = true;
    this.deadline = 0;
    const changes = this.changes;
    const fields = readFields(this.form);
    this.say("saving", "Saving …");
    let { status, detail } = await this.put(fields);
    // Another page has sent this form, and this one is still written in: so it is said that this is known.
    if (status === 409 && this.isUnsent && !this.isLeaving) {
      this.isUnsent = false;
      ({ status, detail } = await this.put(fields));
    }
    this.isSending = false;
    if (this.isLeaving) return;
    if (status >= 200 && status < 300) {
      this.kept = changes;
      if (!this.isDirty) this.local.drop();
      const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      this.say("saved", `Saved ${time}, for you only`);
    } else {
      this.keepHere(status, fields, detail);
    }
    const isKept = status >= 200 && status < 300;
    // A refusal stays one until something changes: the next key tries again. A server that is away comes back.
    if (this.isDirty && (isKept || status === 0 || status >= 500)) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.send(), isKept ? REST : AGAIN);
    }
  }

  keepHere(status, fields, detail) {
    if (!this.local.keep(fields)) {
      this.say("failed", "Not saved: the server cannot take it, and this browser keeps nothing");
      return;
    }
    const sentence = status === 409 && detail ? `${detail} This one is kept in this browser` : SENTENCES[status];
    this.say(status ? "refused" : "offline", sentence ?? SENTENCES.other);
  }

  async put(fields, keepalive = false) {
    try {
      const answer = await fetch(`/account/working-copies/${encodeURIComponent(this.key)}`, {
        method: "PUT",
        keepalive,
        body: JSON.stringify({ ...fields, submission: this.submission, unsent: this.isUnsent }),
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": this.token() },
      });
      const detail = answer.status === 409 ? (await answer.json().catch(() => ({}))).detail : "";
      return { status: answer.status, detail };
    } catch {
      return { status: 0, detail: "" };
    }
  }

  // The page may never be seen again: what the server does not have stays here, and is sent if it is short enough.
  leave() {
    if (!this.isDirty || this.isLeaving) return;
    const fields = readFields(this.form);
    this.local.keep(fields);
    // Two on their way at once might arrive in the other order.
    if (this.isSending) return;
    const changes = this.changes;
    const isShort = fields.body.length * 3 < KEEPALIVE_BYTES;
    this.put(fields, isShort).then(({ status }) => {
      if (status === 409 && this.isUnsent) this.send();
      if (status < 200 || status >= 300) return;
      this.kept = Math.max(this.kept, changes);
      if (!this.isDirty) this.local.drop();
    });
  }

  // The form is on its way; if its answer never comes, the text is still here.
  submitted() {
    this.local.keep(readFields(this.form), true);
    clearTimeout(this.timer);
    this.isLeaving = true;
    this.isUnsent = false;
    // Unless the page stays after all.
    setTimeout(() => this.comeBack(), 30_000);
  }

  comeBack() {
    this.isLeaving = false;
    if (this.isDirty) this.send();
  }

  // What is typed from now on belongs to the form that was left.
  continueFrom(copy) {
    this.isUnsent = false;
    this.key = this.form.dataset.key = copy.key;
    this.submission = this.form.elements.submission.value = copy.submission;
    this.local = new LocalCopy(this.form.dataset.person, copy.key, copy.submission);
  }

  say(kind, text) {
    if (this.state.textContent === text) return;
    this.state.className = `state ${kind}`;
    this.state.textContent = text;
  }
}

const SENTENCES = {
  0: "Offline: kept in this browser",
  401: "Signed out: kept in this browser. Save, and sign in: the text goes along",
  403: "The server refused it: kept in this browser. Save once to go on",
  404: "This post is not yours to edit any more: kept in this browser",
  409: "Not taken: kept in this browser",
  410: "This post was deleted: kept in this browser",
  413: "Too long for the server: kept in this browser",
  422: "Too long for the server: kept in this browser",
  other: "The server is busy: kept in this browser",
};
