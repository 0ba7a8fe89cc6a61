// The text as readers will see it, made by the site's own renderer and sanitised there. Older questions are called off.

const REST = 500; // milliseconds

export function addBeside(area, template, token, codeCss) {
  const form = area.form;
  form.querySelector(".yours").after(template.content.cloneNode(true));
  const panel = form.querySelector(".beside");
  const text = panel.querySelector(".text");
  const language = form.elements.lang;
  let timer = 0;
  let asking = null;
  let shown = null;

  const show = async () => {
    const asked = JSON.stringify({ body: area.value, lang: language.value });
    if (panel.hidden || asked === shown) return;
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      const answer = await fetch("/account/preview", {
        method: "POST",
        signal: mine.signal,
        body: asked,
        headers: { "Content-Type": "application/json", "X-CSRF-Token": token() },
      });
      const html = await answer.text();
      panel.classList.toggle("old", !answer.ok);
      if (!answer.ok || mine !== asking) return;
      shown = asked;
      text.lang = language.value;
      // Parsed where nothing runs and nothing is loaded, then put into the page as it is.
      const parsed = new DOMParser().parseFromString(html, "text/html");
      const top = panel.scrollTop;
      text.replaceChildren(...parsed.body.childNodes);
      panel.scrollTop = top;
      if (text.querySelector("code[class^=language-]")) addStyle(codeCss);
    } catch {
      if (mine === asking) panel.classList.add("old");
    }
  };

  const showSoon = () => {
    if (panel.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(show, REST);
  };
  area.addEventListener("input", showSoon);
  language.addEventListener("change", showSoon);

  return function toggle(button) {
    panel.hidden = !panel.hidden;
    form.classList.toggle("with-beside", !panel.hidden);
    button.setAttribute("aria-pressed", String(!panel.hidden));
    show();
  };
}

function addStyle(href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}
