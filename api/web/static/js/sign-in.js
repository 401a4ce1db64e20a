/** Signs in without leaving the page when it fails; without this script the form is sent as forms are. */

const form = document.getElementById("sign-in");
const message = document.getElementById("sign-in-error");

function show(text) {
  message.textContent = text;
  message.hidden = false;
}

async function submit(event) {
  event.preventDefault();
  const { name, password, next } = form.elements;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const response = await fetch("/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: name.value, password: password.value }),
    });
    if (response.ok) {
      location.replace(next.value);
      return;
    }
    show((await response.json()).detail);
    password.value = "";
    password.focus();
  } catch {
    show("The service does not answer. Check that codeassist is running, then try again.");
  } finally {
    button.disabled = false;
  }
}

form?.addEventListener("submit", submit);
