// Tells an iPad from a Macintosh, whether the app is there already, and offers Android's own button and a copy of the address. Without this script the steps are there all the same.
const page = document.querySelector("[data-install]");
const find = (selector) => page.querySelector(selector);
const told = find("[data-told]");

if (page.dataset.place === "Computer" && page.dataset.chosen === "no" && /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) {
  location.replace("?on=ipad"); // only its fingers give it away
}

// Left by the app when it ran as one. A browser that shares nothing with the app has none, and then the steps alone are right.
function note(name) {
  try {
    return localStorage.getItem(`portvakt.${name}`);
  } catch {
    return null;
  }
}

function there() {
  find("[data-there]").hidden = false;
  find("[data-offer]").hidden = true;
}

if (matchMedia("(display-mode: standalone)").matches || navigator.standalone || note("installed") || note("accounts")) there();
else navigator.getInstalledRelatedApps?.().then((apps) => apps.length && there(), () => {});

let prompt;
addEventListener("beforeinstallprompt", (event) => {
  if (page.dataset.place === "Computer") return; // the app belongs on the phone
  event.preventDefault();
  prompt = event;
  find("[data-offer]").hidden = false;
});
addEventListener("appinstalled", () => {
  there();
  told.textContent = told.dataset.done;
});
find("[data-offer] button").addEventListener("click", async () => {
  const { outcome } = await prompt.prompt();
  find("[data-offer]").hidden = true; // a browser lets it be asked once
  if (outcome !== "accepted") return;
  there();
  told.textContent = told.dataset.done;
  find("[data-there] a").focus();
});

const copy = find("[data-copy]");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(find("[data-address]").dataset.address);
      copy.textContent = told.textContent = told.dataset.copied;
    } catch {
      getSelection().selectAllChildren(find("[data-address]")); // the person's own hand copies it
    }
  });
}
