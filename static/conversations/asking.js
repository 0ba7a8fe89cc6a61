// Asking: a question goes to the server, and what comes back is shown as it comes. What is not taken stays in the field.

import { eventsOf } from "./events.js";
import { Exchange } from "./showing.js";

const BROKE_OFF = "This answer broke off.";
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
    this.stop.addEventListener("click", () => this.controller?.abort());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.field.value, true);
    });
    for (const again of document.querySelectorAll("form.again")) {
      again.addEventListener("submit", (event) => {
        event.preventDefault();
        if (this.controller) return;
        again.hidden = true;
        this.ask(again.elements.content.value, false);
      });
    }
    // Enter with Ctrl or Cmd sends, as elsewhere; Enter alone is a line.
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.controller) form.requestSubmit();
    });
  }

  async ask(question, isFromField) {
    if (this.controller || !question.trim()) return;
    this.begin();
    let exchange = null;
    try {
      if (await this.open()) {
        const answer = await this.send(`${this.path}/messages`, "POST", { content: question });
        if (answer.ok) {
          exchange = new Exchange(this.list, question.trim());
          await this.follow(answer, exchange, question, isFromField);
        } else {
          await this.refuse(answer, question);
        }
      }
    } catch {
      if (exchange) this.break(exchange, question);
      else if (!this.controller.signal.aborted) this.say(AWAY, question);
    } finally {
      this.end();
    }
  }

  // A conversation that is not there yet begins with its first question.
  async open() {
    const { post } = this.form.dataset;
    if (!post) return true;
    const guide = this.form.elements.guide?.value;
    const answer = await this.send(this.path, "PUT", guide ? { post, guide } : { post });
    if (!answer.ok) {
      await this.refuse(answer, this.field.value);
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

  async follow(answer, exchange, question, isFromField) {
    for await (const { event, data } of eventsOf(answer.body)) {
      if (event === "accepted") {
        exchange.accept(data.message_id);
        document.getElementById("greeting")?.remove();
        // From now on the server has it, and the field is free for the next one.
        if (isFromField) this.field.value = "";
      } else if (event === "passage") {
        exchange.addPassage(data);
      } else if (event === "delta") {
        exchange.addText(data.text);
      } else if (event === "done") {
        exchange.finish(data.message);
        this.state.textContent = "The answer is here.";
        if (data.message.state !== "done") this.break(exchange, question, data.message.state);
        return;
      } else if (event === "error") {
        this.break(exchange, question, data.title);
        return;
      }
    }
    this.break(exchange, question);
  }

  // `how`: the state of the answer, or a sentence of the server's own.
  break(exchange, question, how = "abandoned") {
    const sentence = { abandoned: BROKE_OFF, failed: "This was not answered." }[how] ?? how;
    exchange.mark(sentence, () => this.ask(question, false));
    this.state.textContent = sentence;
  }

  async refuse(answer, question) {
    if (answer.status === 401 || answer.status === 403) {
      // As a form it comes to the sign-in page, or to this one with a fresh token, which carry the question along.
      this.field.value = question;
      this.form.submit();
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    const faults = (problem.errors ?? []).map((fault) => fault.detail).join(" ");
    const wait = answer.headers.get("Retry-After");
    const again = wait ? ` Try again in ${wait === "1" ? "a second" : `${wait} seconds`}.` : "";
    this.say(`${faults || problem.detail || problem.title || "The server did not take it."}${again}`, question);
  }

  say(sentence, question) {
    this.refused.textContent = sentence;
    this.refused.hidden = false;
    if (!this.field.value.trim()) this.field.value = question;
  }

  begin() {
    this.controller = new AbortController();
    this.refused.hidden = true;
    this.refused.textContent = "";
    this.state.textContent = "The answer is being written.";
    this.button.disabled = true;
    this.stop.hidden = false;
  }

  end() {
    this.controller = null;
    this.button.disabled = false;
    if (document.activeElement === this.stop) this.field.focus();
    this.stop.hidden = true;
    if (this.state.textContent === "The answer is being written.") this.state.textContent = "";
  }
}
