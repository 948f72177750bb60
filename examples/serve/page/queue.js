// Pictures are captioned two at a time, so that the first is soon done; the rest wait here.

const AT_A_TIME = 2;
const waiting = [];
let running = 0;

/** Runs `work` (a function that returns a promise) when it is its turn. */
export function enqueue(work) {
  waiting.push(work);
  next();
}

function next() {
  while (running < AT_A_TIME && waiting.length) {
    running += 1;
    waiting.shift()().finally(() => {
      running -= 1;
      next();
    });
  }
}
