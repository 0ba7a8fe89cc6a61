// Signing in with a passkey: by a button, and among what the browser offers to fill in for the name.

import { toBytes, toJson } from "./encoding.js";

const place = document.getElementById("passkey");
const [button, said] = [place.querySelector("button"), place.querySelector("[role=status]")];
const form = button.form;
let waiting = new AbortController();

if (window.PublicKeyCredential && navigator.credentials) {
  place.hidden = false;
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button || form.elements.credential.value) return;
    event.preventDefault();
    ask();
  });
  // Back from the page behind: what was sent from here was sent.
  window.addEventListener("pageshow", () => (form.elements.credential.value = ""));
  // Whoever was just refused is not asked by itself again: some browsers answer without asking anybody.
  if (location.href !== button.formAction) offer();
}

async function ask() {
  // A browser asks for one passkey at a time.
  waiting.abort();
  said.textContent = "";
  try {
    send(await navigator.credentials.get({ publicKey: readOptions() }));
  } catch (fault) {
    said.textContent =
      fault.name === "NotAllowedError"
        ? "It was called off, took too long, or your device has no passkey for this site."
        : `Your browser says: ${fault.message}`;
  }
}

async function offer() {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  try {
    send(await navigator.credentials.get({ publicKey: readOptions(), mediation: "conditional", signal: waiting.signal }));
  } catch {
    // Not chosen; the button and the fields are still there.
  }
}

function send(used) {
  form.elements.credential.value = toJson(used, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
  form.requestSubmit(button);
}

function readOptions() {
  const options = JSON.parse(place.dataset.options);
  options.challenge = toBytes(options.challenge);
  return options;
}
