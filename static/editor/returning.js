// What this browser kept while the server was away is offered in the same way as what the server kept.

import { fillFields, isSame, readFields } from "./fields.js";
import { drop, listCopies } from "./local.js";

export async function offerCopies(form, place, section, item, onContinue) {
  const { person, key } = form.dataset;
  const isNew = key.startsWith("new-");
  const shown = readFields(form);
  const open = [];
  for (const copy of listCopies(person)) {
    const isHere = isNew ? copy.key.startsWith("new-") : copy.key === key;
    // Of other posts only what became a save is looked for, to be forgotten.
    if (isHere ? isSame(copy.fields, shown) || (await isKnown(copy)) : await becameSave(copy)) drop(copy.name);
    else if (isHere) open.push(copy);
  }
  if (!open.length) return;
  place.before(section.content.cloneNode(true));
  const box = place.previousElementSibling;
  const list = box.querySelector("ul");
  for (const copy of open) list.append(describe(copy, shown));
  list.querySelectorAll("li").forEach((line, number) => {
    const copy = open[number];
    line.querySelector("[data-do=continue]").addEventListener("click", () => {
      fillFields(form, copy.fields);
      line.remove();
      tidy();
      onContinue(copy);
    });
    line.querySelector("[data-do=discard]").addEventListener("click", () => {
      drop(copy.name);
      line.remove();
      tidy();
      form.elements.body.focus();
    });
  });

  function tidy() {
    if (!list.children.length) box.remove();
  }

  function describe(copy, saved) {
    const line = item.content.cloneNode(true);
    line.querySelector("strong").textContent = copy.fields.title || "Untitled";
    const when = new Date(copy.when).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    line.querySelector(".facts").textContent =
      `, kept ${when}. The text has ${words(copy.fields.body)}, the one below ${words(saved.body)}.`;
    return line;
  }
}

// Whether the server has it: as a save, when the form was sent, or as a working copy that this page offers. One that
// arrived there after the page was made is offered from here.
async function isKnown(copy) {
  if (await becameSave(copy)) return true;
  if (!document.querySelector(`a[href$="?copy=${copy.key}"]`)) return false;
  const kept = await ask(`/account/working-copies/${encodeURIComponent(copy.key)}`);
  return kept !== null && kept.fields != null && isSame(copy.fields, kept.fields);
}

async function becameSave(copy) {
  if (!copy.isSubmitted || !copy.submission) return false;
  const said = await ask(`/account/submissions/${encodeURIComponent(copy.submission)}`);
  return said?.is_saved === true;
}

async function ask(path) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function words(text) {
  const count = (text.match(/\S+/g) ?? []).length;
  return `${count.toLocaleString("en")} ${count === 1 ? "word" : "words"}`;
}
