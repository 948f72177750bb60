// What people do with the page, in a real browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { browser, captions, give, open, picture, server, settled } from './support.mjs';

const CAT = 'cat-and-pizza-blue.png';

test('a dropped picture is captioned in every language, and the caption is its alternative text', async () => {
  const page = await open(browser, server.url);
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  assert.deepEqual(await captions(page), {
    en: 'cat and pizza on a blue background',
    fr: 'chat et pizza sur fond bleu',
    de: 'Katze und Pizza auf blauem Hintergrund',
    es: 'gato y pizza sobre fondo azul',
  });
  assert.equal(await page.locator('.card img').getAttribute('alt'), 'cat and pizza on a blue background');
  await page.waitForFunction(() => document.getElementById('announcement').textContent.includes('cat and pizza'));
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('a pasted picture and a chosen one are captioned', async () => {
  const page = await open(browser, server.url);
  await give(page, 'paste', [{ name: 'camera-red.png' }]);
  await settled(page);
  assert.equal((await captions(page)).en, 'camera on a red background');
  await page.locator('#files').setInputFiles({
    name: 'penguin.png', mimeType: 'image/png', buffer: await picture('penguin-blue.png'),
  });
  await settled(page, 2);
  assert.equal((await captions(page, 1)).en, 'penguin on a blue background');
  await page.context().close();
});

test('captions appear while they are written', async () => {
  const page = await open(browser, server.url);
  await page.evaluate(() => {
    window.drafts = new Set();
    new MutationObserver(() => {
      for (const draft of document.querySelectorAll('.draft[lang=en]')) window.drafts.add(draft.textContent);
    }).observe(document.getElementById('gallery'), { childList: true, subtree: true });
  });
  await page.locator('#more summary').click();
  // Many beams take long enough that not all is there at once.
  await page.locator('#beams').fill('16');
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  const drafts = await page.evaluate(() => [...window.drafts]);
  const whole = (await captions(page)).en;
  const parts = drafts.filter((draft) => draft && draft !== whole && whole.startsWith(draft));
  assert.ok(parts.length > 2, `drafts: ${drafts}`);
  await page.context().close();
});

test('a word shows how sure the model was and where the decoder looked', async () => {
  const page = await open(browser, server.url);
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  const word = page.locator('.words[lang=en] .word', { hasText: /^cat$/ });
  assert.match(await word.getAttribute('title'), /^\d+% sure$/);
  await word.focus();
  // The cat is in the left half, so the right one is darker.
  const darkness = () => page.evaluate(() => {
    const canvas = document.querySelector('.card canvas');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const sums = [0, 0];
    for (let y = 0; y < height; y += 4) {
      for (let x = 0; x < width; x += 4) sums[x < width / 2 ? 0 : 1] += data[(y * width + x) * 4 + 3];
    }
    return sums;
  });
  assert.ok(await page.locator('.card canvas').isVisible());
  const [left, right] = await darkness();
  assert.ok(left < right, `left ${left}, right ${right}`);
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'and');
  await page.keyboard.press('Escape');
  assert.ok(await page.locator('.card canvas').isHidden());
  await page.context().close();
});

test('on a phone the picture stays in sight beside the word that is touched', async () => {
  const page = await open(browser, server.url, { viewport: { width: 360, height: 640 }, hasTouch: true });
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  for (const lang of ['en', 'es']) {
    const word = page.locator(`.words[lang=${lang}] .word`).first();
    await word.focus();
    const [picture, touched] = [await page.locator('.picture').boundingBox(), await word.boundingBox()];
    assert.ok(touched.y >= picture.y + picture.height && touched.y + touched.height <= 640, lang);
    assert.ok(picture.y + picture.height > 100, lang);
  }
  await page.context().close();
});

test('beams, several captions, words and texts are asked for', async () => {
  const page = await open(browser, server.url);
  await page.locator('#more summary').click();
  await page.locator('#sequences').fill('3');
  await page.locator('#forbidden').fill('cat, cat face');
  await page.locator('#texts').fill('a dog\ncat and pizza on a blue background');
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  assert.equal(await page.locator('ol.several').first().locator('li').count(), 3);
  assert.doesNotMatch((await captions(page)).en, /\bcat\b/);
  const best = page.locator('.ranking li').first();
  assert.match(await best.textContent(), /cat and pizza/);
  await page.context().close();
});

test('words that no caption can have are explained', async () => {
  const page = await open(browser, server.url);
  await page.locator('#more summary').click();
  await page.locator('#required').fill('zebra');
  await page.locator('#forbidden').fill('zebra*');
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  assert.equal(await page.locator('.problem').count(), 4);
  assert.match(await page.locator('.problem').first().textContent(), /No caption was found/);
  await page.context().close();
});

test('what is no picture is refused alone', async () => {
  const page = await open(browser, server.url);
  await give(page, 'drop', [{ name: 'broken.png', bytes: Buffer.from('no picture at all') }, { name: 'camera-red.png' }]);
  await settled(page, 2);
  assert.match(await page.locator('.card').first().textContent(), /can’t be read as a picture/);
  assert.equal((await captions(page, 1)).en, 'camera on a red background');
  await page.context().close();
});

test('a gallery shows its progress and is downloaded as JSON, CSV and WebVTT', async () => {
  const page = await open(browser, server.url);
  const names = [CAT, 'camera-red.png', 'penguin-blue.png', 'whale-and-anchor-white.png'];
  await give(page, 'drop', names.map((name) => ({ name })));
  assert.ok(await page.locator('#progress').isVisible());
  await settled(page, 4);
  assert.equal(await page.locator('#count').textContent(), '4 of 4');
  const saved = async (id) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(id).click()]);
    return readFile(await file.path(), 'utf8');
  };
  const json = JSON.parse(await saved('#json'));
  assert.deepEqual(json.images.map(({ name }) => name), names);
  assert.equal(json.images[1].languages.length, 4);
  const csv = await saved('#csv');
  assert.match(csv, /camera-red\.png,en_XX,1,camera on a red background,-0\.\d+\r\n/);
  assert.match(await saved('#vtt'), /^WEBVTT\n\n[^\n]+\n00:00:00\.000 --> 00:00:05\.000\n<lang en>/);
  await page.locator('#clear').click();
  assert.equal(await page.locator('.card').count(), 0);
  assert.ok(await page.locator('#examples').isVisible());
  await page.context().close();
});

test('an example is captioned with one click', async () => {
  const page = await open(browser, server.url);
  await page.locator('.example').nth(1).click();
  await settled(page);
  assert.equal((await captions(page)).en, 'penguin on a blue background');
  await page.context().close();
});
