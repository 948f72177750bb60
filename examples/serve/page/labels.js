// The page's own texts, in the language of whoever reads it.

import { texts } from './texts.js';

const KEY = 'interface';
const NAMES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' };

/** Languages of captions that are written from the right to the left. */
const FROM_THE_RIGHT = new Set(['ar', 'fa', 'he', 'ps', 'ur']);

let now = 'en';

/** A text, with `{name}` replaced by what `values` says. */
export function label(key, values = {}) {
  const text = texts[now][key] ?? texts.en[key];
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const number = (value, form) => new Intl.NumberFormat(now, form).format(value);

/** A score. */
export const points = (value) =>
  number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'negative' });

/** `de` for `de_DE`, `zh-CN` for `zh_CN`, `en` for `en_XX`: what the attribute `lang` wants. */
export function tag(code) {
  const [language, place] = code.split('_');
  return place && place !== 'XX' && language !== place.toLowerCase() ? `${language}-${place}` : language;
}

/** The attributes of an element whose text is in a caption language. */
export const inLanguage = (code) => ({ lang: tag(code), dir: direction(code) });

export const direction = (code) => (FROM_THE_RIGHT.has(code.split('_')[0]) ? 'rtl' : 'ltr');

/** A caption language's name in the page's language. */
export const languageName = (code, otherwise = code) => nameIn(now, code) ?? otherwise;

/** A caption language's name in that language itself, if the browser knows it. */
export const ownName = (code) => nameIn(code.split('_')[0], code);

function nameIn(language, code) {
  try {
    if (!Intl.DisplayNames.supportedLocalesOf(language).length) return null;
    const name = new Intl.DisplayNames(language, { type: 'language', fallback: 'none' }).of(code.split('_')[0]);
    return name ? name[0].toLocaleUpperCase(language) + name.slice(1) : null;
  } catch {
    return null;
  }
}

/** Writes all labels, and again whenever another language is selected; then the event `labels` is sent. */
export function startLabels(select) {
  for (const [code, name] of Object.entries(NAMES)) {
    const option = new Option(name, code);
    option.lang = code;
    select.add(option);
  }
  const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((one) => one.split('-')[0])];
  select.value = wanted.find((code) => code in NAMES) ?? 'en';
  select.addEventListener('change', () => {
    localStorage.setItem(KEY, select.value);
    write(select.value);
  });
  write(select.value);
}

function write(language) {
  now = language;
  document.documentElement.lang = language;
  document.title = label('title');
  for (const part of document.querySelectorAll('[data-label]')) part.textContent = label(part.dataset.label);
  for (const part of document.querySelectorAll('[data-placeholder]')) part.placeholder = label(part.dataset.placeholder);
  for (const part of document.querySelectorAll('[data-aria-label]')) {
    part.setAttribute('aria-label', label(part.dataset.ariaLabel));
  }
  document.dispatchEvent(new Event('labels'));
}
