// Puts the parts of the page together.

import { announce } from './announce.js';
import { Card } from './card.js';
import { startConnection } from './connection.js';
import { startExamples } from './examples.js';
import { asCsv, asJson, asVtt, download } from './export.js';
import { label, startLabels } from './labels.js';
import { offerLanguages, startLanguages } from './languages.js';
import { startPictures } from './pictures.js';
import { enqueue } from './queue.js';
import { offerSettings, options, startSettings } from './settings.js';
import { startTheme } from './theme.js';

const part = (id) => document.getElementById(id);
const cards = [];
let model;
let ready;

function add(files) {
  for (const file of files) {
    const card = new Card(file, { changed: progress, removed: forget });
    cards.push(card);
    part('gallery').append(card.element);
    start(card);
  }
  part('examples').hidden = true;
  part('drop').classList.add('compact');
  progress();
}

function start(card) {
  card.queue();
  enqueue(async () => {
    await ready;
    if (cards.includes(card)) await card.run(options());
  });
}

function forget(card) {
  cards.splice(cards.indexOf(card), 1);
  progress();
  (cards[0]?.remove ?? part('choose')).focus();
}

function progress() {
  const done = cards.filter(({ state }) => state === 'done' || state === 'failed').length;
  part('work').hidden = !cards.length;
  part('examples').hidden = cards.length > 0;
  part('drop').classList.toggle('compact', cards.length > 0);
  part('progress').hidden = done === cards.length;
  part('progress').max = Math.max(cards.length, 1);
  part('progress').value = done;
  part('count').textContent = cards.length > 1 ? label('count', { done, all: cards.length }) : '';
  for (const id of ['json', 'csv', 'vtt']) part(id).disabled = !cards.some(({ results }) => results.size);
  if (!cards.length) part('again').hidden = true;
  if (cards.length && done === cards.length) say(cards.at(-1), done);
}

function say(card, done) {
  if (done > 1) return announce(label('allDone', { all: done }));
  announce(card.failed ? `${card.name}: ${card.failed}` : `${card.name}: ${card.picture.alt}`);
}

function changed() {
  part('again').hidden = !cards.length;
}

function found(now) {
  model = now;
  part('model-name').textContent = model.name;
  part('about').textContent = model.about ?? '';
  offerLanguages(model.languages);
  offerSettings(model);
}

part('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  part('again').hidden = true;
  for (const card of cards) start(card);
  progress();
});
part('clear').addEventListener('click', () => {
  for (const card of [...cards]) card.remove.click();
});
const captioned = () => cards.filter(({ results }) => results.size);
part('json').addEventListener('click', () =>
  download('captions.json', 'application/json', asJson(model?.name, captioned())));
part('csv').addEventListener('click', () => download('captions.csv', 'text/csv', asCsv(captioned())));
part('vtt').addEventListener('click', () => download('captions.vtt', 'text/vtt', asVtt(captioned())));
document.addEventListener('labels', () => {
  for (const card of cards) card.relabel();
  progress();
});

startLabels(part('interface'));
startTheme(part('theme'));
startLanguages(changed);
startSettings(changed);
startPictures(add);
startExamples(add);
ready = startConnection(found);
