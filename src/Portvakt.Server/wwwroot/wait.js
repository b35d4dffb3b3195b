// A waiting page listens for news of its phone, fetches itself and exchanges what changed. Without this script the person
// presses the button that is there anyway.
const parser = new DOMParser();

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

const root = document.querySelector("[data-wait]");
if (root) {
  let state = root.dataset.state;
  let busy = false;
  countDown();
  pressIfReady();

  const listen = () => {
    const source = new EventSource(`${root.dataset.wait}?state=${encodeURIComponent(state)}`);
    source.addEventListener("changed", async () => {
      source.close();
      await renew();
      if (root.isConnected) listen();
    });
    return source;
  };
  let source = listen();
  // A page that comes back from the browser's cache, or from sleep, asks at once.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      source.close();
      renew().then(() => (source = listen()));
    }
  });

  async function renew() {
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = parser.parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-wait]");
      if (!fresh || new URL(answer.url).pathname !== location.pathname) {
        location.replace(answer.url);
        return;
      }
      state = fresh.dataset.state;
      for (const part of root.querySelectorAll("[data-live]")) {
        const news = page.getElementById(part.id);
        if (news && news.innerHTML !== part.innerHTML) part.replaceChildren(...news.childNodes);
      }
      countDown();
      pressIfReady();
    } finally {
      busy = false;
    }
  }

  function pressIfReady() {
    root.querySelector("form[data-continue=now]")?.requestSubmit();
  }

  function countDown() {
    const line = root.querySelector("[data-seconds-left]");
    if (!line) return;
    const end = performance.now() + Number(line.dataset.secondsLeft) * 1000;
    const tick = () => {
      if (!line.isConnected) return;
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      line.textContent = line.dataset.text.replace("{0}", left);
      if (left > 0) setTimeout(tick, 1000);
      else renew();
    };
    tick();
  }
}
