// The copy in this browser, for while the network is away: one for each person, post and form.

const PREFIX = "byline/";

export class LocalCopy {
  constructor(person, key, submission) {
    this.name = `${PREFIX}${person}/${key}/${submission}`;
  }

  // False when the browser keeps nothing (full, or forbidden).
  keep(fields, isSubmitted = false) {
    try {
      localStorage.setItem(this.name, JSON.stringify({ fields, isSubmitted, at: Date.now() }));
      return true;
    } catch {
      return false;
    }
  }

  drop() {
    drop(this.name);
  }
}

export function drop(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // A browser that keeps nothing has nothing to drop.
  }
}

// What this person left here, the last first.
export function listCopies(person) {
  const begin = `${PREFIX}${person}/`;
  const found = [];
  try {
    for (let at = 0; at < localStorage.length; at += 1) {
      const name = localStorage.key(at);
      if (!name.startsWith(begin)) continue;
      try {
        const { fields, isSubmitted, at: when } = JSON.parse(localStorage.getItem(name));
        if (typeof fields.body !== "string") continue;
        const [, , copyKey, submission] = name.split("/");
        found.push({ name, key: copyKey, submission: submission ?? "", fields, isSubmitted, when });
      } catch {
        // Not ours, or cut short.
      }
    }
  } catch {
    return [];
  }
  return found.sort((a, b) => b.when - a.when);
}
