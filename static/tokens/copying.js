// A button behind each field of what is shown this once. Without it the fields are there to be selected and copied.

const template = document.getElementById("copy");

for (const field of document.querySelectorAll(".copy > [readonly]")) {
  const parts = template.content.cloneNode(true);
  const [button, said] = [parts.querySelector("button"), parts.querySelector("[role=status]")];
  button.setAttribute("aria-label", `Copy: ${field.labels[0].textContent}`);
  button.addEventListener("click", async () => {
    field.select();
    said.textContent = (await copy(field.value)) ? "Copied." : "It is selected: copy it with the keyboard.";
  });
  field.after(parts);
}
document.querySelector(".copy > [readonly]").select();

// False when the browser lets no page do so.
async function copy(text) {
  try {
    // Only where the connection is encrypted, or to this very machine.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
