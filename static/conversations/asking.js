// Asking: a question goes to the server, and what comes back is shown as it comes. What is not taken stays in the field.

import { eventsOf } from "./events.js";
import { Exchange } from "./showing.js";

const BROKE_OFF = "This answer broke off.";
const WRITING = "The answer is being written.";
const STOPPING = "Stopping.";
const UNSURE = "Nothing came back yet. The server may have your question all the same: load this page anew to see.";
const AWAY = "The server could not be reached. Your question is still here.";

export class Asking {
  constructor(form) {
    if (!form) return;
    this.form = form;
    this.field = form.elements.content;
    this.button = form.querySelector("button:not([type])");
    this.stop = document.getElementById("stop");
    this.state = document.getElementById("state");
    this.refused = document.getElementById("refused");
    this.list = document.getElementById("said");
    this.path = `/v1/conversations/${form.dataset.conversation}`;
    // The second half of a double click says nothing more.
    this.stop.addEventListener("click", (event) => event.detail < 2 && this.halt());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.field.value, true);
    });
    for (const again of document.querySelectorAll("form.again")) {
      again.addEventListener("submit", async (event) => {
        event.preventDefault();
        again.hidden = true;
        again.hidden = await this.ask(again.elements.content.value, false);
      });
    }
    // Enter with Ctrl or Cmd sends, as elsewhere; Enter alone is a line.
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.controller) form.requestSubmit();
    });
  }

  // Whether the server took it.
  async ask(question, isFromField) {
    if (this.controller || !question.trim()) return false;
    this.begin();
    try {
      if ((await this.open(question, isFromField)) && !this.isStopping) {
        const answer = await this.send(`${this.path}/messages`, "POST", { content: question });
        if (answer.ok) {
          this.take(question, isFromField);
          await this.follow(answer, question);
        } else {
          await this.refuse(answer, question, isFromField);
        }
      }
    } catch {
      if (this.exchange) this.break(question);
      else this.say(this.controller.signal.aborted ? UNSURE : AWAY, question, isFromField);
    } finally {
      this.end();
    }
    return this.exchange !== null;
  }

  // Whether a question is stored is not known before something comes back: until then it is waited for.
  halt() {
    if (this.exchange || this.isStopping) {
      this.controller?.abort();
    } else {
      this.isStopping = true;
      this.stop.textContent = "Wait no longer";
      this.state.textContent = STOPPING;
    }
  }

  // A conversation that is not there yet begins with its first question.
  async open(question, isFromField) {
    const { post } = this.form.dataset;
    if (!post) return true;
    const guide = this.form.elements.guide?.value;
    const answer = await this.send(this.path, "PUT", guide ? { post, guide } : { post });
    if (!answer.ok) {
      await this.refuse(answer, question, isFromField);
      return false;
    }
    delete this.form.dataset.post;
    this.form.elements.guide?.closest(".field").remove();
    history.replaceState(null, "", `/conversations/${this.form.dataset.conversation}`);
    return true;
  }

  send(path, method, body) {
    return fetch(path, {
      method,
      body: JSON.stringify(body),
      signal: this.controller.signal,
      headers: {
        "Content-Type": "application/json",
        Accept: method === "POST" ? "text/event-stream" : "application/json",
        "X-CSRF-Token": this.form.elements.csrf_token.value,
      },
    });
  }

  // From now on the server has it, and the field is free for the next one, unless that stands there already.
  take(question, isFromField) {
    this.exchange = new Exchange(this.list, question.trim());
    document.getElementById("greeting")?.remove();
    if (isFromField && this.field.value === question) this.field.value = "";
    if (this.isStopping) this.controller.abort();
  }

  async follow(answer, question) {
    const { exchange } = this;
    for await (const { event, data } of eventsOf(answer.body)) {
      if (event === "accepted") {
        exchange.accept(data.message_id);
      } else if (event === "passage") {
        exchange.addPassage(data);
      } else if (event === "delta") {
        exchange.addText(data.text);
      } else if (event === "done") {
        exchange.finish(data.message);
        this.state.textContent = "The answer is here.";
        if (data.message.state !== "done") this.break(question, data.message.state);
        return;
      } else if (event === "error") {
        this.break(question, data.title);
        return;
      }
    }
    this.break(question);
  }

  // `how`: the state of the answer, or a sentence of the server's own.
  break(question, how = "abandoned") {
    const sentence = { abandoned: BROKE_OFF, failed: "This was not answered." }[how] ?? how;
    this.exchange.mark(sentence, () => this.ask(question, false));
    this.state.textContent = sentence;
  }

  async refuse(answer, question, isFromField) {
    if (answer.status === 401 || answer.status === 403) {
      // As a form it comes to the sign-in page, or to this one with a fresh token, which carry the words along.
      this.keep(question, isFromField);
      this.form.submit();
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    const faults = (problem.errors ?? []).map((fault) => fault.detail).join(" ");
    const wait = answer.headers.get("Retry-After");
    const again = wait ? ` Try again in ${wait === "1" ? "a second" : `${wait} seconds`}.` : "";
    this.say(`${faults || problem.detail || problem.title || "The server did not take it."}${again}`, question, isFromField);
  }

  say(sentence, question, isFromField) {
    this.refused.textContent = sentence;
    this.refused.hidden = false;
    this.keep(question, isFromField);
  }

  // What was not taken is in the field, before what was typed there meanwhile; what is asked again stands above.
  keep(question, isFromField) {
    const draft = this.field.value;
    if (!draft.trim()) this.field.value = question;
    else if (isFromField && draft !== question) this.field.value = `${question}\n\n${draft}`;
  }

  begin() {
    this.controller = new AbortController();
    this.exchange = null;
    this.isStopping = false;
    this.refused.hidden = true;
    this.refused.textContent = "";
    this.state.textContent = WRITING;
    this.disable(true);
    this.stop.textContent = "Stop";
    this.stop.hidden = false;
  }

  end() {
    this.controller = null;
    this.disable(false);
    if (document.activeElement === this.stop) this.field.focus();
    this.stop.hidden = true;
    if ([WRITING, STOPPING].includes(this.state.textContent)) this.state.textContent = "";
  }

  // One answer at a time, to the question in the field or to another one again.
  disable(isBusy) {
    for (const button of [this.button, ...this.list.querySelectorAll("button")]) button.disabled = isBusy;
  }
}
