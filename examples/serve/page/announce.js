// What a screen reader is told: at most one sentence at a time, and not while much is happening.

let waiting;

export function announce(text) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    document.getElementById('announcement').textContent = text;
  }, 400);
}
