// The page itself: what it remembers, how it looks after a server that goes, what it weighs, who can use it.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { browser, captions, give, open, Server, server, settled } from './support.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** The embedded model as a folder. */
const MODEL = fileURLToPath(new URL('../../../../captioning/model', import.meta.url));
const CAT = 'cat-and-pizza-blue.png';

test('languages are remembered, and the page speaks that of its reader', async () => {
  const page = await open(browser, server.url, { locale: 'de-DE' });
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  for (const name of ['Englisch', 'Französisch']) await page.locator('.chip', { hasText: name }).click();
  await page.locator('#interface').selectOption('es');
  await page.reload();
  await page.locator('.chip').first().waitFor();
  assert.equal(await page.locator('#choose').textContent(), 'Elegir imágenes');
  await give(page, 'drop', [{ name: CAT }]);
  await settled(page);
  assert.deepEqual(Object.keys(await captions(page)).sort(), ['de', 'es']);
  await page.context().close();
});

test('52 languages are searched by any of their names, and those that are chosen come first', async (context) => {
  if (!server.canStop) return context.skip('the server is not ours to start');
  // A folder's languages are all that its tokenizer has codes of.
  const many = await new Server(['--model', MODEL]).start();
  try {
    const page = await open(browser, many.url);
    const chips = page.locator('.chip');
    assert.equal(await chips.count(), 52);
    const search = page.locator('#language-search');
    const found = () => page.locator('.chip:visible input').evaluateAll((boxes) => boxes.map(({ value }) => value));
    const chosen = () => page.locator('.chip :checked').evaluateAll((boxes) => boxes.map(({ value }) => value));
    // In the page's language, by code, in the language itself, and without its accents.
    for (const [typed, code] of [['finn', 'fi_FI'], ['he_il', 'he_IL'], ['العرب', 'ar_AR'], ['francais', 'fr_XX']]) {
      await search.fill(typed);
      assert.deepEqual(await found(), [...await chosen(), code], typed);
      await search.press('Enter');
      assert.equal(await search.inputValue(), '');
    }
    // What is chosen already stays so.
    await search.fill('finn');
    await search.press('Enter');
    const all = ['ar_AR', 'en_XX', 'fi_FI', 'fr_XX', 'he_IL'];
    assert.deepEqual((await chosen()).sort(), all);
    const own = page.locator('.chip', { has: page.locator('[value=he_IL]') }).locator('.own');
    assert.equal(await own.getAttribute('lang'), 'he-IL');
    assert.equal(await own.getAttribute('dir'), 'rtl');
    await search.fill('');
    await page.reload();
    await chips.first().waitFor();
    const first = await page.locator('.chip input').evaluateAll((boxes) => boxes.slice(0, 5).map(({ value }) => value));
    assert.deepEqual(first.sort(), all);

    await page.evaluate(AXE);
    await give(page, 'drop', [{ name: CAT }]);
    await settled(page);
    assert.equal((await captions(page)).fr, 'chat et pizza sur fond bleu');
    const violations = await page.evaluate(async () => (await window.axe.run()).violations.map(({ id }) => id));
    assert.deepEqual(violations, []);
    await page.context().close();
  } finally {
    await many.stop();
  }
});

test('captions that are written from the right to the left stand and are walked through so', async () => {
  const page = await open(browser, server.url);
  const [right, left] = await page.evaluate(async () => {
    const { wordsOf } = await import('/page/words.js');
    const words = ['חתול', 'ופיצה'].map((word) => ({ word, log_prob: 0 }));
    const row = wordsOf({ text: 'חתול ופיצה', words }, 'he_IL', () => {});
    document.body.append(row);
    return [...row.querySelectorAll('button')].map((word) => word.getBoundingClientRect().left);
  });
  assert.ok(right > left);
  const row = page.locator('.words[lang=he-IL]');
  assert.equal(await row.getAttribute('dir'), 'rtl');
  await row.locator('button').first().focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'ופיצה');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'חתול');
  await page.context().close();
});

test('where the decoder looked is drawn in the part of the picture that the model sees', async () => {
  const page = await open(browser, server.url);
  // Of a picture of 200 x 100 pixels: what the model sees, which of 2 x 2 patches has all weight, where it is clear.
  const middle = { left: 0.25, top: 0, right: 0.75, bottom: 1 };
  const whole = { left: 0, top: 0, right: 1, bottom: 1 };
  const cases = [
    ['cut out', middle, 0, [60, 10], [10, 10]],
    ['stretched', whole, 0, [10, 10], [190, 10]],
    ['padded', { ...whole, top: -0.5, bottom: 1.5 }, 3, [190, 90], [10, 90]],
    ['turned clockwise', { ...whole, turned: true }, 0, [10, 90], [10, 10]],
  ];
  for (const [name, shown, patch, clear, dark] of cases) {
    const alphas = await page.evaluate(async ({ shown, patch, points }) => {
      const { drawLook } = await import('/page/overlay.js');
      const canvas = document.createElement('canvas');
      const picture = { naturalWidth: 200, naturalHeight: 100, getBoundingClientRect: () => ({ width: 200, height: 100 }) };
      const patches = [0, 1, 2, 3].map((index) => Number(index === patch));
      drawLook(canvas, picture, { rows: 2, columns: 2, patches }, shown);
      return points.map(([x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[3]);
    }, { shown, patch, points: [clear, dark] });
    assert.ok(alphas[0] < 20 && alphas[1] > 150, `${name}: ${alphas}`);
  }
  await page.context().close();
});

test('a browser without light-dark() shows light colours', async () => {
  const page = await open(browser, server.url, {
    colorScheme: 'dark',
    before: (page) => page.route('**/base.css', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('light-dark(', 'unknown-function(') });
    }),
  });
  const { ground, ink } = await page.evaluate(() => {
    const style = getComputedStyle(document.body);
    return { ground: style.backgroundColor, ink: style.color };
  });
  assert.deepEqual([ground, ink], ['rgb(246, 247, 249)', 'rgb(22, 25, 31)']);
  assert.ok(await page.locator('#theme').isHidden());
  await page.context().close();
});

test('a picture that is larger than the server accepts is not sent', async () => {
  const page = await open(browser, server.url);
  let sent = 0;
  page.on('request', (request) => {
    sent += request.url().endsWith('/v1/captions');
  });
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(40 << 20)], 'large.png', { type: 'image/png' }));
    document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
  });
  await page.locator('.problem', { hasText: 'larger than' }).waitFor();
  assert.equal(sent, 0);
  await page.context().close();
});

test('every language of the page has every label', async () => {
  const { texts } = await import(`data:text/javascript,${encodeURIComponent(
    await readFile(new URL('../../page/texts.js', import.meta.url), 'utf8'))}`);
  for (const [language, own] of Object.entries(texts)) {
    assert.deepEqual(Object.keys(own), Object.keys(texts.en), language);
  }
});

test('a server that goes away is waited for', async (context) => {
  if (!server.canStop) return context.skip('the server is not ours to stop');
  const page = await open(browser, server.url);
  await server.stop();
  await give(page, 'drop', [{ name: CAT }]);
  await page.locator('#banner').waitFor();
  assert.match(await page.locator('#banner').textContent(), /can’t be reached/);
  await server.start();
  await settled(page);
  assert.equal((await captions(page)).en, 'cat and pizza on a blue background');
  assert.ok(await page.locator('#banner').isHidden());
  await page.context().close();
});

test('a server with keys is asked with one', async (context) => {
  if (!server.canStop) return context.skip('the server is not ours to start');
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  await writeFile(join(folder, 'keys'), 'a-key-of-this-test\n', { mode: 0o600 });
  const locked = await new Server(['--keys', join(folder, 'keys')]).start();
  try {
    const page = await open(browser, locked.url, {
      loaded: async (page) => {
        await page.locator('#key').fill('ein falscher Schlüssel');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelector('dialog').open && !document.getElementById('key').value);
        await page.locator('#key').fill('a-key-of-this-test');
        await page.keyboard.press('Enter');
      },
    });
    await give(page, 'drop', [{ name: CAT }]);
    await settled(page);
    assert.equal((await captions(page)).en, 'cat and pizza on a blue background');
    await page.context().close();
  } finally {
    await locked.stop();
    await rm(folder, { recursive: true });
  }
});

test('a busy server is waited for as long as it says', async () => {
  const page = await open(browser, server.url);
  let asked = 0;
  await page.route('**/v1/captions', (route) => {
    asked += 1;
    if (asked > 1) return route.continue();
    return route.fulfill({
      status: 503, headers: { 'Retry-After': '2' },
      json: { error: { message: 'full', type: 'server_error', param: null, code: 'queue_full' } },
    });
  });
  await give(page, 'drop', [{ name: CAT }]);
  await page.locator('.status', { hasText: 'busy' }).waitFor();
  await settled(page);
  assert.equal(asked, 2);
  assert.equal((await captions(page)).en, 'cat and pizza on a blue background');
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1440]) {
    test(`axe finds nothing in ${colorScheme} colours at ${width} pixels`, async () => {
      const page = await open(browser, server.url, { colorScheme, viewport: { width, height: 900 } });
      const check = async (when) => {
        const found = await page.evaluate(async () => (await window.axe.run()).violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' ')}`));
        assert.deepEqual(found, [], when);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${when}: ${overflow} pixels too wide`);
      };
      await page.evaluate(AXE);
      await check('empty');
      await page.locator('#more summary').click();
      await page.locator('#sequences').fill('2');
      await page.locator('#texts').fill('a dog\na cat');
      await give(page, 'drop', [{ name: CAT }, { name: 'broken.png', bytes: Buffer.from('no') }]);
      await settled(page, 2);
      await page.locator('.word').first().focus();
      await check('with captions');
      await page.context().close();
    });
  }
}

test('the page is light, strict and soon there', async () => {
  const page = await open(browser, server.url);
  const sizes = await page.evaluate(() => performance.getEntriesByType('resource')
    .concat(performance.getEntriesByType('navigation'))
    .filter(({ name }) => !name.includes('/v1/'))
    .map(({ decodedBodySize }) => decodedBodySize));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 20_000 && bytes < 150_000, `${bytes} bytes`);
  const response = await page.request.get(server.url);
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /^default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  console.log(`${bytes} bytes, first contentful paint ${Math.round(paint)} ms`);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
