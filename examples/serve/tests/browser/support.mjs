// A browser and a server for the tests.
//
// SERVE_BIN is the program to start (default: target/debug/serve); SERVE_URL, if given, is a server that runs already.
// CHROMIUM is the browser's program.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PROGRAM = process.env.SERVE_BIN ?? here('../../../../target/debug/serve');
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

export class Server {
  constructor(args = []) {
    this.args = args;
  }

  async start() {
    if (process.env.SERVE_URL) {
      this.url = process.env.SERVE_URL.replace(/\/$/, '');
      return this;
    }
    const port = this.url ? new URL(this.url).port : '0';
    this.process = spawn(PROGRAM, ['--port', port, ...this.args], { stdio: ['ignore', 'pipe', 'ignore'] });
    const failed = once(this.process, 'exit').then(([code]) => {
      throw new Error(`${PROGRAM} ended with ${code} before it listened`);
    });
    [this.url] = await Promise.race([once(createInterface(this.process.stdout), 'line'), failed]);
    failed.catch(() => {});
    return this;
  }

  /** Whether this server is ours to stop. */
  get canStop() {
    return !process.env.SERVE_URL;
  }

  async stop() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}

const startBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIET });

/** The server and the browser of all tests of a file. */
export const server = new Server();
export let browser;

before(async () => {
  [browser] = await Promise.all([startBrowser(), server.start()]);
});
after(async () => {
  await browser?.close();
  await server.stop();
});

/** Bytes of a picture of the repository. */
export const picture = (name) => readFile(here(`../../../caption/pictures/${name}`));

const nothing = () => {};

/** A fresh page of the server, after `before(page)` and `loaded(page)`; what it logs as an error is in `page.errors`. */
export async function open(browser, url, { before = nothing, loaded = nothing, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.errors.push(message.text());
  });
  await before(page);
  await page.goto(url);
  await loaded(page);
  await page.locator('#language-list .chip').first().waitFor();
  return page;
}

/** Gives the page files as a drop or a paste does. */
export async function give(page, kind, files) {
  const sent = await Promise.all(files.map(async ({ name, type, bytes }) => ({
    name, type: type ?? 'image/png', base64: Buffer.from(bytes ?? await picture(name)).toString('base64'),
  })));
  await page.evaluate(({ kind, sent }) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of sent) {
      const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      data.items.add(new File([bytes], name, { type }));
    }
    const event = kind === 'drop'
      ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    document.getElementById('drop').dispatchEvent(event);
  }, { kind, sent });
}

/** Waits until nothing is captioned any more. */
export async function settled(page, cards = 1) {
  await page.waitForFunction((cards) =>
    document.querySelectorAll('.card').length === cards
    && !document.querySelector('.card[aria-busy]')
    && document.getElementById('progress').hidden, cards, { timeout: 60_000 });
}

/** The first caption of each language of a card, by `lang`. */
export const captions = (page, card = 0) => page.evaluate((card) => Object.fromEntries(
  [...document.querySelectorAll('.card')[card].querySelectorAll('section:has(.words)')].map((section) => {
    const words = section.querySelector('.words');
    return [words.lang, words.textContent];
  })), card);
