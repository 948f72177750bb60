// Whether the captioner answers. While it does not, the page asks again and says so.

import { captioner } from './captioner.js';
import { label } from './labels.js';

const EVERY = 1500;
let here;
let known = () => {};

const banner = () => document.getElementById('banner');

/** Asks for the model until it answers; `found(model)` is called each time that it comes back. */
export function startConnection(found) {
  known = found;
  document.addEventListener('labels', () => {
    if (!banner().hidden) banner().textContent = label('gone');
  });
  return connected();
}

/** Resolves when the captioner answers, with whether it did so at once. */
export function connected() {
  here ??= reach().finally(() => {
    here = undefined;
  });
  return here;
}

async function reach() {
  for (let atOnce = true; ; atOnce = false) {
    try {
      const model = await captioner.model();
      banner().hidden = true;
      known(model);
      return atOnce;
    } catch (trouble) {
      if (trouble.kind === 'key') {
        await askForKey();
        continue;
      }
      banner().hidden = false;
      banner().textContent = trouble.kind === 'refused' ? trouble.message : label('gone');
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }
}

function askForKey() {
  const dialog = document.getElementById('key-dialog');
  document.getElementById('key').value = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      captioner.setKey(document.getElementById('key').value.trim());
      resolve();
    }, { once: true });
  });
}
