// A caption whose words can be touched: each shows how sure the model was, and where it looked.

import { element } from './element.js';
import { inLanguage, label, number } from './labels.js';

/** A caption in a language, as a row of words. `look(word, sure)` is called with the word in focus or under the pointer, or null. */
export function wordsOf(caption, language, look) {
  const row = element('p', { className: 'words', ...inLanguage(language), role: 'toolbar', 'aria-label': caption.text });
  const buttons = [];
  let at = 0;
  for (const word of caption.words ?? []) {
    const start = word.word ? caption.text.indexOf(word.word, at) : -1;
    if (start < 0) continue;
    row.append(caption.text.slice(at, start));
    at = start + word.word.length;
    const button = wordButton(word, look);
    button.tabIndex = buttons.length ? -1 : 0;
    buttons.push(button);
    row.append(button);
  }
  row.append(caption.text.slice(at));
  if (!buttons.length) row.removeAttribute('role');
  moveByKeys(row, buttons);
  return row;
}

/** The probability of a word is that of all its tokens. */
function wordButton(word, look) {
  const button = element('button', { type: 'button', className: 'word' }, word.word);
  if (word.log_prob !== null) {
    const sure = Math.exp(word.log_prob);
    button.dataset.sure = sure > 0.9 ? 'high' : sure > 0.5 ? 'middle' : 'low';
    button.title = label('sure', { percent: number(sure, { style: 'percent' }) });
  }
  const show = () => look(word, button.title);
  button.addEventListener('pointerenter', show);
  button.addEventListener('pointerleave', () => {
    if (document.activeElement !== button) look(null);
  });
  button.addEventListener('focus', show);
  button.addEventListener('blur', () => look(null));
  // Not every browser gives the focus to a button that is touched.
  button.addEventListener('click', () => {
    button.focus();
    show();
  });
  button.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') look(null);
  });
  return button;
}

/** One stop for the Tab key; the arrows move from word to word. */
function moveByKeys(row, buttons) {
  row.addEventListener('keydown', (event) => {
    const now = buttons.indexOf(document.activeElement);
    const right = row.dir === 'rtl' ? -1 : 1;
    const to = { ArrowRight: now + right, ArrowLeft: now - right, Home: 0, End: buttons.length - 1 }[event.key];
    const next = buttons[to];
    if (now < 0 || !next) return;
    event.preventDefault();
    buttons[now].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
