// The editor's comforts. The form does everything without them; nothing here is needed to write, save or return.

import { addBeside } from "./beside.js";
import { watchLength } from "./counting.js";
import { Keeper } from "./keeping.js";
import { watchPasting } from "./pasting.js";
import { offerCopies } from "./returning.js";
import { addTools } from "./tools.js";
import { upload } from "./uploading.js";

const form = document.querySelector("form.editor");
const area = form.elements.body;
const template = (name) => document.getElementById(`editor-${name}`);
const token = () => form.elements.csrf_token.value;

// With the buttons, which are always in view: whether the words are kept is seen wherever one writes.
form.querySelector(".bar").prepend(template("marks").content.cloneNode(true));
const marks = form.querySelector(".marks");
const [count, state, warning] = ["count", "state", "warning"].map((name) => marks.querySelector(`.${name}`));
area.after(count);
const refusal = warning.cloneNode();
warning.after(refusal);

const say = (text) => {
  refusal.textContent = text;
  refusal.hidden = !text;
};
const keeper = new Keeper(form, token, state);
const underWay = new Set();
const uploadAll = (files) =>
  files.forEach((file) => {
    const going = upload(area, token, file, say).finally(() => underWay.delete(going));
    underWay.add(going);
  });

// A placeholder is no picture: what is sent waits for it, unless it is sent again.
let isWaiting = false;
const wait = (event) => {
  if (isWaiting || !underWay.size) {
    isWaiting = false;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  isWaiting = true;
  say("A picture is still on its way. This is sent when it has arrived, or when you press again.");
  Promise.allSettled([...underWay]).then(() => {
    if (isWaiting) form.requestSubmit(event.submitter);
  });
};
form.addEventListener("submit", wait, { capture: true });

addTools(area, template("tools"), {
  choosePictures: uploadAll,
  toggleBeside: addBeside(area, template("beside"), token, form.dataset.codeCss),
  keepNow: () => keeper.keepNow(),
  save: () => form.requestSubmit(form.querySelector("button[name=action][value=save]")),
});
watchPasting(area, uploadAll);
watchLength(area, Number(form.dataset.limit), count, warning);
offerCopies(form, form, template("kept-here"), template("kept-item"), (copy) => {
  keeper.continueFrom(copy);
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  area.focus();
});
