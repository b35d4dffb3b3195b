// Counts what fingers do: presses of a button, a field or a link, and characters typed (a field filled at once counts all of its own).
(() => {
  const lengths = new WeakMap();
  addEventListener('pointerdown', () => void touched(1, 0), true);
  addEventListener('input', ({ target }) => {
    if (typeof target.value !== 'string' || !/^(text|password|tel|email|)$/.test(target.getAttribute('type') ?? '')) return;
    const typed = Math.abs(target.value.replace(/[\s-]/g, '').length - (lengths.get(target) ?? 0));
    lengths.set(target, target.value.replace(/[\s-]/g, '').length);
    void touched(0, typed);
  }, true);
})();
