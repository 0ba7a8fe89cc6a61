// What is pasted and dropped: an address onto words makes a link, a picture is uploaded.

import { insert } from "./text.js";

export function watchPasting(area, upload) {
  area.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain").trim();
    const pictures = picturesIn(event.clipboardData);
    // Office programs put a picture of the words beside the words.
    if (pictures.length && !text) {
      event.preventDefault();
      upload(pictures);
      return;
    }
    const selected = area.value.slice(area.selectionStart, area.selectionEnd);
    if (selected.trim() && !selected.includes("\n") && isAddress(text) && !isAddress(selected.trim())) {
      event.preventDefault();
      insert(area, `[${selected}](${text.replaceAll("(", "%28").replaceAll(")", "%29")})`);
    }
  });
  area.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    area.focus();
    upload(picturesIn(event.dataTransfer));
  });
}

function picturesIn(transfer) {
  return [...transfer.files].filter((file) => file.type.startsWith("image/"));
}

function isAddress(text) {
  return /^https?:\/\/[^\s<>]+$/.test(text) && URL.canParse(text);
}
