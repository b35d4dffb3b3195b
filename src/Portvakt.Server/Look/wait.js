// A waiting page listens for news of its phone, fetches itself and exchanges what changed. Without this script the person
// presses the button that is there anyway.
const all = (selector, action) => document.querySelectorAll(selector).forEach(action);

all("[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});

all("[data-limit]", limit);

const root = document.querySelector("[data-wait]");
if (root) follow();

// Two minutes before the page can no longer be used its reader is told, and can have more time. What was typed stays.
function limit(place) {
  const ahead = 120;
  const [template] = place.children;
  let end, timer;
  start(place.dataset.limit);

  function start(seconds) {
    clearTimeout(timer);
    end = performance.now() + seconds * 1000;
    timer = setTimeout(tell, Math.max(0, seconds - ahead) * 1000);
  }

  function tell() {
    const from = document.activeElement;
    place.replaceChildren(template.content.cloneNode(true));
    const [form] = place.children;
    const left = () => (end - performance.now()) / 1000;
    timer = setTimeout(() => location.reload(), Math.max(0, left()) * 1000);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const answer = await fetch(form.action, { method: form.method, body: form.method === "post" ? new URLSearchParams(new FormData(form)) : null, signal: AbortSignal.timeout(15000) });
        if (!answer.ok || (answer.redirected && form.method === "post")) return location.reload();
        const seconds = form.method === "post" ? Number(await answer.text()) : Number(place.dataset.limit);
        // The longest time there is: no more of it can be had.
        if (seconds < left() + 5) return form.querySelector("button").remove();
        place.replaceChildren();
        start(seconds);
        from?.focus?.();
      } catch {
        // No network: the button is still there.
      }
    });
  }
}

function follow() {
  const announce = root.querySelector("[data-announce]");
  let state = root.dataset.state;
  let source, later, clock, busy;

  // Only while somebody looks: many tabs share few connections, and a page that was away asks first.
  const wake = () => (document.hidden ? source?.close() : renew());
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("pagehide", () => source?.close());
  settle();
  listen();

  function listen() {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`${root.dataset.wait}?state=${encodeURIComponent(state)}`);
    source.addEventListener("changed", renew);
    // The browser itself tries again when the line breaks; a refusal is final for it, but not for us.
    source.onerror = () => source.readyState === EventSource.CLOSED && again();
  }

  function again() {
    clearTimeout(later);
    later = setTimeout(renew, 5000);
  }

  async function renew() {
    if (busy) return;
    busy = true;
    source?.close();
    clearTimeout(later);
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(15000) });
      if (answer.status >= 500) throw answer;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-wait]");
      if (!fresh || new URL(answer.url).pathname !== location.pathname) return location.replace(answer.url);
      state = fresh.dataset.state;
      for (const part of root.querySelectorAll("[data-live]")) exchange(part, page.getElementById(part.id));
      settle();
      listen();
    } catch {
      again();
    } finally {
      busy = false;
    }
  }

  // What says the same stays: an open text stays open, and a screen reader is not told twice.
  function exchange(part, news) {
    const text = (node) => node.innerHTML.replace(/<input name="form"[^>]*>| open=""/g, "");
    if (!news || text(news) === text(part)) return;
    const held = part.contains(document.activeElement);
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    part.replaceChildren(...news.childNodes);
    part.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? false));
    if (held) part.querySelector("button:enabled, summary")?.focus();
  }

  function settle() {
    root.querySelector("form[data-continue=now]")?.requestSubmit();
    clearTimeout(clock);
    const line = root.querySelector("[data-seconds-left]");
    if (announce.textContent) announce.textContent = "";
    if (!line) return;
    const { secondsLeft, unit, announceAt, many, one } = line.dataset;
    const end = performance.now() + secondsLeft * 1000;
    tick();

    function tick() {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      const shown = Math.ceil(left / unit);
      const words = shown === 1 ? one : many.replace("{0}", shown);
      if (line.textContent !== words) line.textContent = words;
      if (left <= announceAt && !announce.textContent) announce.textContent = `${words} ${line.dataset.then}`;
      if (left > 0) clock = setTimeout(tick, 1000);
      else renew();
    }
  }
}
