// Changing the text so that undo takes it back: the browser does the change itself, as if it had been typed.

export function replace(area, start, end, text) {
  // The command works on what has the focus; while the writer is in another field, the focus stays there.
  if (document.activeElement === area) {
    area.setSelectionRange(start, end);
    if (start === end && text === "") return;
    if (document.execCommand(text === "" ? "delete" : "insertText", false, text)) return;
  }
  area.setRangeText(text, start, end, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
}

export function insert(area, text) {
  replace(area, area.selectionStart, area.selectionEnd, text);
}

// Marks around what is selected, or taken away again; without a selection the cursor stands between them.
export function wrap(area, before, after = before) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const selected = value.slice(start, end);
  const ahead = value.slice(Math.max(0, start - 3), start);
  const isMarked = ahead.endsWith(before) && value.slice(end, end + after.length) === after;
  // One star inside of two is not emphasis already there.
  const isDouble = before === "*" && ahead.endsWith("**") && ahead !== "***";
  if (isMarked && !isDouble) {
    replace(area, start - before.length, end + after.length, selected);
    area.setSelectionRange(start - before.length, end - before.length);
  } else {
    insert(area, before + selected + after);
    area.setSelectionRange(start + before.length, end + before.length);
  }
}

// A mark before each line that is selected, or away from each when all have it.
export function prefix(area, mark, pattern) {
  const { selectionStart, selectionEnd, value } = area;
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const next = value.indexOf("\n", Math.max(selectionStart, selectionEnd - (selectionEnd > selectionStart ? 1 : 0)));
  const end = next < 0 ? value.length : next;
  const lines = value.slice(start, end).split("\n");
  const have = lines.every((line) => pattern.test(line) || (line === "" && lines.length > 1));
  const changed = lines.map((line) => (have ? line.replace(pattern, "") : line === "" && lines.length > 1 ? line : mark + line));
  replace(area, start, end, changed.join("\n"));
  const after = start + changed.join("\n").length;
  if (selectionStart === selectionEnd) area.setSelectionRange(after, after);
  else area.setSelectionRange(start, after);
}

// Enter in a list or a quote begins the next item; in an empty one it ends the list. True when it was done here.
export function continueLine(area) {
  if (area.selectionStart !== area.selectionEnd) return false;
  const at = area.selectionStart, value = area.value;
  const start = value.lastIndexOf("\n", at - 1) + 1;
  const found = /^(\s{0,12}(?:> ?)*)(?:([-*+])( \[[ xX]\])? |(\d{1,9})([.)]) )?/.exec(value.slice(start, at));
  const [whole, quote, bullet, task, number, dot] = found;
  if (!bullet && !number && !quote.includes(">")) return false;
  const next = value.indexOf("\n", at);
  const rest = value.slice(at, next < 0 ? value.length : next);
  if (whole.length === at - start && rest.trim() === "") {
    // An empty item leaves its list and stays in its quote; an empty quote ends.
    const kept = bullet || number ? quote : "";
    replace(area, start, at, kept);
    return true;
  }
  const item = bullet ? `${bullet}${task ? " [ ]" : ""} ` : number ? `${Number(number) + 1}${dot} ` : "";
  insert(area, `\n${quote}${item}`);
  return true;
}
