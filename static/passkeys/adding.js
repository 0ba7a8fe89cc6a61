// The device makes a passkey, and the form takes it along. Without this the page says that the browser cannot.

import { toBytes, toJson } from "./encoding.js";

const form = document.getElementById("adding");
const said = form.querySelector("[role=alert]");
const button = form.querySelector("button");

if (window.PublicKeyCredential && navigator.credentials) {
  document.getElementById("unable").hidden = true;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
  });
}

async function add() {
  said.textContent = "";
  button.disabled = true;
  try {
    const made = await navigator.credentials.create({ publicKey: readOptions() });
    const transports = made.response.getTransports?.() ?? [];
    form.elements.credential.value = toJson(made, ["clientDataJSON", "attestationObject"], { transports });
    // Without asking this listener again.
    form.submit();
  } catch (fault) {
    said.textContent = explain(fault);
    button.disabled = false;
  }
}

function readOptions() {
  const options = JSON.parse(form.dataset.options);
  options.challenge = toBytes(options.challenge);
  options.user.id = toBytes(options.user.id);
  for (const known of options.excludeCredentials) known.id = toBytes(known.id);
  return options;
}

function explain(fault) {
  if (fault.name === "InvalidStateError") return "This device or key holds a passkey of yours for this site already.";
  if (fault.name === "NotAllowedError") return "No passkey was made: it was called off, or took too long. Try once more.";
  if (fault.name === "NotSupportedError" || fault.name === "ConstraintError")
    return "This device or key cannot keep a passkey that it unlocks for you. Try another one.";
  return `No passkey was made. Your browser says: ${fault.message}`;
}
