// A page that was loaded while an answer was on its way: once something of it is stored, it is shown.

const EVERY = 1500;
const MOST = 40;

export async function lookAgain(waiting) {
  if (!waiting) return;
  const path = `/v1${location.pathname}/messages?limit=1&after=${waiting.dataset.waiting}`;
  const field = document.querySelector("#asking textarea");
  for (let count = 0; count < MOST; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    // Somebody is asking something else here.
    if (field?.value || document.querySelector("#said [aria-busy]")) return;
    const answer = await fetch(path, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    if ((await answer.json()).items.length) {
      if (!field?.value) location.reload();
      return;
    }
  }
}
