// One picture and what is said about it.

import { captioner } from './captioner.js';
import { connected } from './connection.js';
import { element } from './element.js';
import { direction, inLanguage, label, languageName, points, tag } from './labels.js';
import { drawLook } from './overlay.js';
import { ranking } from './ranking.js';
import { wordsOf } from './words.js';

/** How often an answer may break off, one time after the other, while the server is there. */
const BROKEN = 3;

export class Card {
  /** `changed()` is called when the state changes: waiting, running, done, failed. */
  constructor(file, { changed, removed }) {
    this.name = file.name || label('pasted');
    this.blob = file;
    this.changed = changed;
    this.results = new Map();
    this.scores = [];
    this.state = 'waiting';
    this.#build(removed);
  }

  #build(removed) {
    this.picture = element('img', { src: URL.createObjectURL(this.blob), alt: this.name });
    this.picture.addEventListener('error', () => this.figure.classList.add('unreadable'));
    this.canvas = element('canvas', { hidden: true, 'aria-hidden': 'true' });
    this.note = element('p', { className: 'note', hidden: true, 'aria-hidden': 'true' });
    this.figure = element('div', { className: 'picture' }, this.picture, this.canvas, this.note);
    this.status = element('p', { className: 'status quiet' });
    this.captions = element('div', { className: 'captions' });
    this.copy = element('button', { type: 'button', hidden: true });
    this.copy.addEventListener('click', () => this.#copy());
    this.remove = element('button', { type: 'button' });
    this.remove.addEventListener('click', () => {
      this.stop();
      URL.revokeObjectURL(this.picture.src);
      this.element.remove();
      removed(this);
    });
    const title = element('h3', { className: 'name' }, this.name);
    const tools = element('div', { className: 'row end' }, this.copy, this.remove);
    this.element = element('article', { className: 'card' }, this.figure,
      element('div', { className: 'said' }, title, this.status, this.captions, tools));
    this.relabel();
  }

  /** Writes the labels of the page's language. */
  relabel() {
    this.copy.textContent = label('copy');
    this.remove.textContent = label('remove');
    this.remove.setAttribute('aria-label', label('removeNamed', { name: this.name }));
    if (this.state === 'waiting') this.#say(label('waiting'));
  }

  stop() {
    this.stopping?.abort();
  }

  /** Says that the picture has to wait for others. */
  queue() {
    this.stop();
    this.state = 'waiting';
    this.#say(label('waiting'));
  }

  /** Captions the picture; waits and asks again while the captioner is busy or gone. */
  async run(options) {
    this.stop();
    const stopping = new AbortController();
    this.stopping = stopping;
    const { signal } = stopping;
    for (let broken = 0; ;) {
      this.#begin(options);
      try {
        await captioner.caption({ blob: this.blob, name: this.name }, options, this.#handlers(signal));
        return this.#end();
      } catch (trouble) {
        if (signal.aborted) return;
        if (trouble.kind === 'busy') await this.#wait(trouble.seconds, signal);
        else if (trouble.kind === 'key' || (trouble.kind === 'gone' && broken < BROKEN)) {
          this.#say(label('goneCard'));
          // A server that answers, but not this, will not do so for ever.
          broken = (await connected()) ? broken + 1 : 0;
        } else {
          this.#fail(trouble);
          return this.#end();
        }
        if (signal.aborted) return;
      }
    }
  }

  #begin({ languages }) {
    this.results = new Map();
    this.scores = [];
    this.failed = null;
    this.shown = undefined;
    this.#say(label('running'));
    this.state = 'running';
    this.element.setAttribute('aria-busy', 'true');
    this.sections = new Map(languages.map((code) => {
      const text = element('div', { className: 'text' }, element('p', { className: 'draft', ...inLanguage(code) }, '…'));
      const section = element('section', {}, element('h4', {}, languageName(code)), text);
      return [code, { section, text }];
    }));
    this.rank = element('div');
    this.captions.replaceChildren(...[...this.sections.values()].map(({ section }) => section), this.rank);
    this.changed();
  }

  #handlers(signal) {
    const alive = (handle) => (data) => signal.aborted || handle(data);
    return {
      signal,
      onImage: alive(({ shown }) => {
        this.shown = shown;
      }),
      onDraft: alive((data) => this.#draft(data)),
      onCaptions: alive((data) => this.#caption(data)),
      onScores: alive(({ scores }) => {
        this.scores.push(...scores);
        this.rank.replaceChildren(ranking(this.scores));
      }),
      onError: alive(({ language, error }) => this.#fail(error, language)),
    };
  }

  #draft({ language, sequence, settled, draft }) {
    const section = this.sections.get(language);
    if (!section || sequence > 0) return;
    const rest = draft.startsWith(settled) ? draft.slice(settled.length) : draft;
    section.text.replaceChildren(element('p', { className: 'draft', ...inLanguage(language) },
      element('span', { className: 'settled' }, settled), rest || (settled ? '' : '…')));
  }

  #caption({ language, captions }) {
    this.#keep(language, captions);
    const text = this.sections.get(language)?.text;
    if (!text) return;
    if (!captions.length) text.replaceChildren(element('p', { className: 'problem' }, label('nothing')));
    else {
      const several = captions.length > 1;
      text.replaceChildren(element(several ? 'ol' : 'div', { className: 'several', dir: direction(language) },
        ...captions.map((caption) => this.#one(caption, language, several))));
    }
    this.#describe();
  }

  #one(caption, language, several) {
    const score = element('span', { className: 'score quiet', dir: 'ltr', title: label('score') },
      points(caption.score));
    const words = wordsOf(caption, language, (word, sure) => this.#look(word, sure));
    return element(several ? 'li' : 'div', { className: 'one' }, words, score);
  }

  /** Shows where the decoder looked, and how sure the model was of the word. */
  #look(word, sure) {
    drawLook(this.canvas, this.picture, word, this.shown);
    this.note.hidden = !word;
    this.note.textContent = word ? [word.word, sure].filter(Boolean).join(' · ') : '';
  }

  /** Languages are finished in any order, and shown and saved in that of the request. */
  #keep(language, captions) {
    const kept = new Map(this.results).set(language, captions);
    const order = [...this.sections.keys()];
    this.results = new Map([...kept].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  }

  /** The captions are what the picture is to those who can't see it: in the page's language, if there is one. */
  #describe() {
    const written = [...this.results].filter(([, captions]) => captions.length);
    const [language, captions] = written.find(([code]) => tag(code) === document.documentElement.lang) ?? written[0] ?? [];
    if (!language) return;
    this.picture.alt = captions[0].text;
    this.picture.lang = tag(language);
  }

  #fail(error, language) {
    const text = this.sections?.get(language)?.text;
    const own = explained(error);
    const message = own ?? error.message;
    // What the server says is English.
    const lang = own ? document.documentElement.lang : 'en';
    const problem = element('p', { className: 'problem', lang }, message);
    if (text) return text.replaceChildren(problem);
    this.failed = message;
    this.captions.replaceChildren(problem);
  }

  #end() {
    this.state = this.failed ? 'failed' : 'done';
    this.element.removeAttribute('aria-busy');
    this.#say('');
    this.copy.hidden = !this.results.size;
    this.changed();
  }

  async #wait(seconds, signal) {
    for (let left = seconds; left > 0 && !signal.aborted; left -= 1) {
      this.#say(label('busy', { seconds: left }));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  #say(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }

  async #copy() {
    const lines = [...this.results.values()].map((captions) => captions[0]?.text).filter(Boolean);
    const copied = await navigator.clipboard?.writeText(lines.join('\n')).then(() => true, () => false);
    this.copy.textContent = label(copied ? 'copied' : 'notCopied');
    setTimeout(() => this.relabel(), 1500);
  }
}

/** The page's own words for what users meet, if it has any. */
function explained({ code }) {
  if (code === 'not_an_image') return label('unreadable');
  if (code === 'too_large') return label('tooLarge');
  if (code === 'no_caption' || code === 'words_missing') return label('noCaption');
  return null;
}
