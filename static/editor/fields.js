// The fields of a post's form, as the server names them.

const NAMES = ["title", "slug", "body", "excerpt", "tags", "status", "publish_at", "visibility", "kind", "version"];

// Half characters become what the browser would make of them when it sends the form.
export function readFields(form) {
  const fields = Object.fromEntries(NAMES.map((name) => [name, (form.elements[name]?.value ?? "").toWellFormed()]));
  // Of a text that came back into a newer page: the version that it was begun from.
  const seen = form.elements.seen?.value;
  if (seen && Number(seen) < Number(fields.version)) fields.version = seen;
  return fields;
}

export function fillFields(form, fields) {
  for (const name of NAMES) {
    const control = form.elements[name];
    if (control && typeof fields[name] === "string") control.value = fields[name];
  }
}

export function isSame(a, b) {
  return NAMES.every((name) => name === "version" || (a[name] ?? "") === (b[name] ?? ""));
}
