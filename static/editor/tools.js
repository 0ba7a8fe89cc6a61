// The toolbar and the keys. Every button does what its key does.

import { continueLine, insert, prefix, replace, wrap } from "./text.js";

const KEYS = { b: "bold", i: "italic", k: "link" };

export function addTools(area, template, { choosePictures, toggleBeside, keepNow, save }) {
  area.before(template.content.cloneNode(true));
  const bar = area.parentElement.querySelector(".toolbar");
  const files = area.parentElement.querySelector("input[type=file]");
  const actions = {
    bold: () => wrap(area, "**"),
    italic: () => wrap(area, "*"),
    link: () => link(area),
    heading: () => prefix(area, "## ", /^#{1,6} /),
    quote: () => prefix(area, "> ", /^> ?/),
    list: () => prefix(area, "- ", /^[-*+] /),
    code: () => code(area),
    picture: () => files.click(),
    beside: (button) => toggleBeside(button),
  };
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const name = button.dataset.do;
    if (name !== "picture" && name !== "beside") area.focus();
    actions[name](button);
  });
  // With the mouse, the selection in the text stays what it is.
  bar.addEventListener("mousedown", (event) => event.preventDefault());
  files.addEventListener("change", () => {
    area.focus();
    choosePictures([...files.files]);
    files.value = "";
  });
  rove(bar);
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      if (continueLine(area)) event.preventDefault();
      return;
    }
    const name = KEYS[event.key.toLowerCase()];
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && name) {
      event.preventDefault();
      actions[name]();
    }
  });
  // These two work in every field of the form.
  area.form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    if (event.key.toLowerCase() === "s") {
      event.preventDefault();
      keepNow();
    } else if (event.key === "Enter") {
      event.preventDefault();
      save();
    }
  });
}

function link(area) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const selected = value.slice(start, end);
  if (/^https?:\/\/\S+$/.test(selected)) {
    insert(area, `[](${selected})`);
    area.setSelectionRange(start + 1, start + 1);
  } else {
    insert(area, `[${selected}](https://)`);
    const address = start + selected.length + 3;
    area.setSelectionRange(address, address + 8);
  }
}

function code(area) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const selected = value.slice(start, end);
  if (!selected.includes("\n")) return wrap(area, "`");
  replace(area, start, end, `\`\`\`\n${selected.replace(/\n$/, "")}\n\`\`\`\n`);
}

// One stop for Tab; the arrows go from button to button (WAI-ARIA's toolbar).
function rove(bar) {
  const buttons = [...bar.querySelectorAll("button")];
  const stop = (chosen) => buttons.forEach((button) => (button.tabIndex = button === chosen ? 0 : -1));
  stop(buttons[0]);
  bar.addEventListener("focusin", (event) => stop(event.target));
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = step ? (at + step + buttons.length) % buttons.length : { Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to].focus();
  });
}
