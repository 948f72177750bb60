// The page's own texts, in the language of whoever reads it.

import { texts } from './texts.js';

const KEY = 'interface';
const NAMES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' };

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

/** A caption language's name in the page's language. */
export function languageName(code, otherwise = code) {
  try {
    const name = new Intl.DisplayNames(now, { type: 'language', fallback: 'none' }).of(code.split('_')[0]);
    return name ? name[0].toLocaleUpperCase(now) + name.slice(1) : otherwise;
  } catch {
    return otherwise;
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
