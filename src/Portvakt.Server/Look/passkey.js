// Asks the browser for a passkey (Web Authentication Level 3) and sends its answer in the form that is there. Without this script, or in a browser without
// passkeys, the page says so and offers what else there is.
const form = document.querySelector("form[data-passkey]");
if (form?.dataset.options && window.PublicKeyCredential) begin();

function begin() {
  const { answer } = form.elements;
  const problem = form.querySelector("[data-problem]");
  const makes = form.dataset.passkey === "create";
  let waiting, busy;

  form.hidden = false;
  form.querySelectorAll("[data-with]").forEach((part) => (part.hidden = false));
  form.querySelectorAll("[data-without]").forEach((part) => (part.hidden = true));
  addEventListener("pageshow", () => (answer.value = "")); // what a page that was left has sent is used up
  form.addEventListener("submit", (event) => {
    if (answer.value) return;
    event.preventDefault();
    ask();
  });
  form.querySelector("[type=button]")?.addEventListener("click", () => ask());
  if (form.hasAttribute("data-conditional")) offer();

  // The passkeys stand in the list of user names, where the browser can do that; nobody is interrupted.
  async function offer() {
    if (await PublicKeyCredential.isConditionalMediationAvailable?.()) await ask("conditional");
  }

  async function ask(mediation) {
    if (busy) return;
    waiting?.abort();
    const own = (waiting = new AbortController());
    busy = !mediation;
    if (busy) problem.hidden = true;
    try {
      const request = { signal: own.signal, publicKey: options() };
      if (mediation) request.mediation = mediation;
      const credential = await (makes ? navigator.credentials.create(request) : navigator.credentials.get(request));
      answer.value = JSON.stringify(told(credential));
      form.requestSubmit();
    } catch (error) {
      if (mediation || error.name === "AbortError") return;
      // NotAllowedError says little on purpose: cancelled, too slow, or not unlocked.
      problem.firstElementChild.textContent = problem.dataset[{ NotAllowedError: "cancelled", InvalidStateError: makes ? "known" : "cancelled" }[error.name] ?? "unable"];
      problem.hidden = false;
    } finally {
      if (!mediation) busy = false;
    }
  }

  // By hand: the browsers' own parseCreationOptionsFromJSON and toJSON are younger than passkeys.
  function options() {
    const asked = JSON.parse(form.dataset.options);
    asked.challenge = bytes(asked.challenge);
    if (asked.user) asked.user.id = bytes(asked.user.id);
    for (const list of [asked.allowCredentials, asked.excludeCredentials]) list?.forEach((known) => (known.id = bytes(known.id)));
    return asked;
  }

  function told({ id, rawId, type, response }) {
    const parts = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) parts[name] = text(response[name]);
    }
    if (makes) delete parts.authenticatorData; // it stands in the attestation object
    return { id, rawId: text(rawId), type, response: parts };
  }

  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    return btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
}
