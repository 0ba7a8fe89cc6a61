// Words, reading time, and a warning before the text is too long. Counted when the typing rests, never at a key.

const WORDS_A_MINUTE = 220;
const WARN_AT = 0.9;
const REST = 400; // milliseconds

export function watchLength(area, limit, count, warning) {
  let timer = 0;
  const encoder = new TextEncoder();
  const look = () => {
    const text = area.value;
    let words = 0;
    for (const _ of text.matchAll(/\S+/g)) words += 1;
    const minutes = Math.max(1, Math.round(words / WORDS_A_MINUTE));
    count.textContent = `${words.toLocaleString("en")} ${words === 1 ? "word" : "words"}, ${minutes} min to read`;
    // A character has at most three bytes for each of JavaScript's: short texts need no counting.
    const bytes = text.length * 3 < limit * WARN_AT ? 0 : encoder.encode(text).length;
    warning.hidden = bytes < limit * WARN_AT;
    const left = limit - bytes;
    if (warning.hidden) warning.textContent = "";
    else if (left >= 0) warning.textContent = `There is room for ${left.toLocaleString("en")} bytes more; then the text is too long to be saved.`;
    else warning.textContent = `The text is ${(-left).toLocaleString("en")} bytes too long to be saved. Take something out, or make two posts of it.`;
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => requestIdleCallback(look, { timeout: 1000 }), REST);
  });
  look();
}
