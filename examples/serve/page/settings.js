// What to ask for, apart from languages.

import { chosenLanguages } from './languages.js';

const field = (id) => document.getElementById(id);
const parts = (id, separator) => field(id).value.split(separator).map((part) => part.trim()).filter(Boolean);

/** Takes over a model's limits and what it does by itself. */
export function offerSettings({ limits = {}, defaults = {} }) {
  for (const [id, name] of [['beams', 'num_beams'], ['sequences', 'num_return_sequences']]) {
    if (limits[name]) field(id).max = limits[name];
    if (defaults[name] && !field(id).dataset.touched) field(id).value = defaults[name];
  }
}

export function startSettings(changed) {
  for (const id of ['beams', 'sequences', 'required', 'forbidden', 'texts']) {
    field(id).addEventListener('input', () => {
      field(id).dataset.touched = 'yes';
      changed();
    });
  }
}

/** The options of a request. A search returns no more captions than it has beams. */
export function options() {
  const sequences = whole('sequences');
  return {
    languages: chosenLanguages(),
    num_beams: Math.max(whole('beams'), sequences),
    num_return_sequences: sequences,
    required: parts('required', ','),
    forbidden: parts('forbidden', ','),
    texts: parts('texts', '\n'),
  };
}

function whole(id) {
  const { value, max } = field(id);
  return Math.min(Math.max(Math.round(Number(value)) || 1, 1), Number(max));
}
