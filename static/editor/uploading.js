// A picture goes up while the writing goes on; a placeholder holds its place, and goes when it could not be stored.

import { insert, replace } from "./text.js";

let count = 0;

export async function upload(area, token, file, say) {
  count += 1;
  const name = file.name.replace(/[\[\]()\\\s]+/g, " ").trim().slice(0, 60);
  const placeholder = `![Uploading ${name || "a picture"} (${count}) …]()`;
  say("");
  insert(area, placeholder);
  const picture = await send(file, token);
  const at = area.value.indexOf(placeholder);
  if (typeof picture === "string") say(`${name || "The picture"} was not stored: ${picture}`);
  if (at < 0) return;
  const text = typeof picture === "string" ? "" : `![${escaped(picture.alt ?? "")}](${address(picture.url)})`;
  put(area, at, at + placeholder.length, text);
}

// The picture as the server describes it, or a sentence that says why there is none.
async function send(file, token) {
  const body = new FormData();
  body.append("file", file);
  try {
    const answer = await fetch("/v1/media", {
      method: "POST",
      body,
      headers: { "X-CSRF-Token": token(), Accept: "application/json" },
    });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok && said.url) return said;
    if (answer.status === 401) return "you are not signed in any more.";
    const faults = (said.errors ?? []).map((fault) => fault.detail).join(" ");
    return faults || said.detail || `the server answered ${answer.status}.`;
  } catch {
    return "the server could not be reached.";
  }
}

// In the place of the placeholder, wherever it is by now; the cursor stays where the writer is.
function put(area, start, end, text) {
  const shift = text.length - (end - start);
  const moved = (place) => (place <= start ? place : place >= end ? place + shift : start + text.length);
  const [from, to] = [moved(area.selectionStart), moved(area.selectionEnd)];
  replace(area, start, end, text);
  area.setSelectionRange(from, to);
}

function escaped(alt) {
  return alt.replace(/[\[\]\\]/g, "\\$&").replace(/\s+/g, " ");
}

function address(url) {
  const parsed = new URL(url, location.href);
  const path = parsed.origin === location.origin ? parsed.pathname + parsed.search : parsed.href;
  return path.replaceAll("(", "%28").replaceAll(")", "%29");
}
