// Which of the given texts fits a picture: best first, for each language.

import { element } from './element.js';
import { label, languageName, points, tag } from './labels.js';

/** The ranking in the page's language, or the first; those of the others can be opened. */
export function ranking(scores) {
  const languages = [...new Set(scores.map(({ language }) => language))];
  const first = languages.find((code) => tag(code) === document.documentElement.lang) ?? languages[0];
  const others = languages.filter((code) => code !== first);
  const rest = element('details', { hidden: !others.length }, element('summary', {}, label('otherLanguages')),
    ...others.map((language) => section(scores, language)));
  return element('div', { className: 'ranking' }, section(scores, first), rest);
}

function section(scores, language) {
  const own = scores.filter((one) => one.language === language && typeof one.score === 'number');
  own.sort((a, b) => b.score - a.score);
  const problem = scores.find((one) => one.language === language && one.error)?.error.message;
  const title = element('h4', {}, label('fits', { language: languageName(language) }));
  const rows = own.map(({ text, score }) => row(text, score, own[0].score, tag(language)));
  return element('section', {}, title, element('ol', {}, ...rows),
    ...(problem ? [element('p', { className: 'problem' }, problem)] : []));
}

/** The bar is how likely a token is, compared with the best text's. */
function row(text, score, best, lang) {
  const meter = element('meter', { min: 0, max: 1, value: Math.exp(score - best), 'aria-label': text });
  return element('li', {}, element('span', { lang, dir: 'auto' }, text), meter, element('span', { className: 'score quiet' }, points(score)));
}
