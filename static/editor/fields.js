// The fields of a post's form, as the server names them.

const CONTENT = ["title", "slug", "body", "excerpt", "tags", "status", "publish_at", "visibility", "kind", "lang"];
const NAMES = [...CONTENT, "publish_offset", "time_zone", "version"];

// Half characters become what the browser would make of them when it sends the form.
export function readFields(form) {
  const fields = Object.fromEntries(NAMES.map((name) => [name, (form.elements[name]?.value ?? "").toWellFormed()]));
  // Of a text that came back into a newer page: the version that it was begun from.
  const seen = form.elements.seen?.value;
  if (seen && Number(seen) < Number(fields.version)) fields.version = seen;
  return fields;
}

export function fillFields(form, fields) {
  // The time is meant in the zone that stood beside it.
  const zone = form.elements.time_zone?.value;
  const hint = document.getElementById("field-publish_at-hint");
  if (zone && fields.time_zone && hint) hint.textContent = hint.textContent.replace(zone, fields.time_zone);
  for (const name of NAMES) {
    const control = form.elements[name];
    if (control && typeof fields[name] === "string") control.value = fields[name];
  }
}

export function isSame(a, b) {
  const names = a.publish_at || b.publish_at ? [...CONTENT, "publish_offset", "time_zone"] : CONTENT;
  // What was kept before a field was there says nothing about it.
  return names.every((name) => (a[name] ?? b[name] ?? "") === (b[name] ?? a[name] ?? ""));
}
