// Which languages to caption in; remembered.

import { element } from './element.js';
import { inLanguage, label, languageName, ownName } from './labels.js';

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
    const found = best(list, search.value);
    if (!found) return;
    found.firstChild.click();
    // It moves to the others that are chosen, and the next one can be searched.
    search.value = '';
    show(list, search);
    list.scrollTop = 0;
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
  list.classList.toggle('many', known.length > FEW);
  search.setAttribute('aria-label', label('search'));
  const order = known.length <= FEW ? known : [...known].sort((a, b) => {
    const first = chosen.has(b.code) - chosen.has(a.code);
    return first || languageName(a.code, a.name).localeCompare(languageName(b.code, b.name));
  });
  list.replaceChildren(...order.map(({ code, name }) => {
    const box = element('input', { type: 'checkbox', value: code, checked: chosen.has(code) });
    const here = languageName(code, name);
    const own = known.length > FEW ? ownName(code) : null;
    const chip = element('label', { className: 'chip' }, box, here);
    if (own && own !== here) chip.append(' ', element('span', { className: 'own', ...inLanguage(code) }, own));
    chip.dataset.search = plain(`${here}\n${own ?? ''}\n${name}\n${code}`);
    return chip;
  }));
  filter(list, search.value);
}

/** What is chosen stays in sight. */
function filter(list, wanted) {
  for (const chip of list.children) chip.hidden = !matches(chip, wanted) && !chip.firstChild.checked;
}

const matches = (chip, wanted) => chip.dataset.search.includes(plain(wanted));

/** What Enter takes: a name that begins so rather than one that contains it, and none that is chosen already. */
function best(list, wanted) {
  if (!plain(wanted)) return undefined;
  const found = [...list.children].filter((chip) => matches(chip, wanted) && !chip.firstChild.checked);
  return found.find((chip) => chip.dataset.search.split('\n').some((name) => name.startsWith(plain(wanted)))) ?? found[0];
}

/** Without accents and capitals. */
const plain = (text) => text.trim().toLowerCase().normalize('NFD').replace(/\p{Diacritic}/gu, '');
