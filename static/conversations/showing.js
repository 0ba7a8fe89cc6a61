// One exchange on the page: a question and what comes in answer to it. Texts are texts; HTML is the server's own.

const part = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class Exchange {
  constructor(list, question) {
    this.asked = part("asked");
    this.answered = part("answered");
    this.asked.querySelector(".words").textContent = question;
    this.text = this.answered.querySelector(".text");
    this.text.classList.add("coming");
    this.state = this.answered.querySelector(".state");
    this.again = this.answered.querySelector("button");
    this.passages = this.answered.querySelector(".passages");
    this.answered.setAttribute("aria-busy", "true");
    list.append(this.asked, this.answered);
    this.answered.scrollIntoView({ block: "nearest" });
  }

  accept(id) {
    this.asked.id = `m-${id}`;
  }

  addPassage(passage) {
    const item = part("passage");
    item.value = passage.number;
    item.querySelector("a").href = ownAddress(passage.url);
    item.querySelector("bdi").textContent = passage.heading || passage.title;
    item.querySelector("summary").setAttribute("aria-label", `What passage ${passage.number} says`);
    item.querySelector("blockquote").textContent = passage.quote;
    this.passages.append(item);
    this.passages.hidden = false;
  }

  addText(text) {
    this.text.append(text);
  }

  finish(message) {
    const { text } = this;
    text.classList.remove("coming");
    text.innerHTML = message.html;
    this.answered.id = `m-${message.id}`;
    this.answered.removeAttribute("aria-busy");
  }

  // The answer ends here; `ask` asks the question once more, and says whether it was taken.
  mark(sentence, ask) {
    this.answered.removeAttribute("aria-busy");
    this.state.textContent = sentence;
    this.state.hidden = false;
    const place = this.again.parentElement;
    place.hidden = false;
    this.again.addEventListener("click", async () => {
      place.hidden = true;
      place.hidden = await ask();
    });
  }
}

// The same place on this very host, whatever name the site has for itself.
function ownAddress(url) {
  const { pathname, hash } = new URL(url, location.href);
  return pathname + hash;
}
