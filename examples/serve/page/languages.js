// Which languages to caption in; remembered.

import { element } from './element.js';
import { label, languageName } from './labels.js';

const KEY = 'languages';
/** With more, there is a field to search them. */
const FEW = 8;

let known = [];
let chosen = new Set();

/** The codes that are chosen. */
export const chosenLanguages = () => known.map(({ code }) => code).filter((code) => chosen.has(code));

export function startLanguages(changed) {
  const list = document.getElementById('language-list');
  const search = document.getElementById('language-search');
  search.addEventListener('input', () => filter(list, search.value));
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    [...list.children].find((chip) => matches(chip, search.value))?.firstChild.click();
    // What was found comes first, where it can be seen, and the next one can be searched.
    search.value = '';
    show(list, search);
  });
  list.addEventListener('change', ({ target }) => {
    if (target.checked) chosen.add(target.value);
    else chosen.delete(target.value);
    if (!chosenLanguages().length) {
      chosen.add(target.value);
      target.checked = true;
    }
    localStorage.setItem(KEY, JSON.stringify([...chosen]));
    changed();
  });
  document.addEventListener('labels', () => show(list, search));
}

/** Shows a model's languages: those chosen before first, then the model's own choice. */
export function offerLanguages(languages) {
  known = languages;
  chosen = new Set(remembered());
  if (!chosenLanguages().length) {
    chosen = new Set(languages.filter((one) => one.default ?? languages.length <= FEW).map(({ code }) => code));
  }
  if (!chosenLanguages().length && languages.length) chosen.add(languages[0].code);
  show(document.getElementById('language-list'), document.getElementById('language-search'));
}

function remembered() {
  try {
    const codes = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(codes) ? codes : [];
  } catch {
    return [];
  }
}

function show(list, search) {
  search.hidden = known.length <= FEW;
  search.setAttribute('aria-label', label('search'));
  const order = known.length <= FEW ? known : [...known].sort((a, b) => {
    const first = chosen.has(b.code) - chosen.has(a.code);
    return first || languageName(a.code, a.name).localeCompare(languageName(b.code, b.name));
  });
  list.replaceChildren(...order.map(({ code, name }) => {
    const box = element('input', { type: 'checkbox', value: code, checked: chosen.has(code) });
    const chip = element('label', { className: 'chip' }, box, languageName(code, name));
    chip.dataset.search = `${languageName(code, name)} ${name} ${code}`.toLowerCase();
    return chip;
  }));
  filter(list, search.value);
}

/** What is chosen stays in sight. */
function filter(list, wanted) {
  for (const chip of list.children) chip.hidden = !matches(chip, wanted) && !chip.firstChild.checked;
}

const matches = (chip, wanted) => chip.dataset.search.includes(wanted.trim().toLowerCase());
