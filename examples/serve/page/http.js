// The captioner behind the server's own interface, `POST v1/captions`.

import { events } from './events.js';
import { Trouble } from './trouble.js';

const KEY = 'key';
/** Bytes of a request beside its picture, with room to spare. */
const REST = 64 << 10;

export function httpCaptioner(base) {
  let key = sessionStorage.getItem(KEY) ?? '';
  let most = Infinity;

  async function ask(path, init) {
    const headers = new Headers(init.headers);
    // What a header can't hold is no key, and is asked for again.
    if (/^[\x21-\x7e]+$/.test(key)) headers.set('Authorization', `Bearer ${key}`);
    const response = await reach(() => fetch(base + path, { ...init, headers, cache: 'no-store' }));
    if (response.ok) return response;
    throw await trouble(response);
  }

  return {
    setKey(value) {
      key = value;
      sessionStorage.setItem(KEY, value);
    },

    async model({ signal } = {}) {
      const response = await ask('model', { signal });
      const model = await reach(() => response.json());
      most = model.limits?.body_bytes ?? Infinity;
      return model;
    },

    async caption(picture, options, { onImage, onDraft, onCaptions, onScores, onError, signal } = {}) {
      // The server would hang up, and look as if it were gone.
      if (picture.blob.size + REST > most) throw new Trouble('refused', 'too large', { code: 'too_large' });
      const response = await ask('captions', {
        method: 'POST',
        headers: { Accept: 'text/event-stream' },
        body: form(picture, options),
        signal,
      });
      const handlers = { image: onImage, draft: onDraft, captions: onCaptions, scores: onScores, error: onError };
      const done = await reach(async () => {
        for await (const { name, data } of events(response.body)) {
          if (name === 'done') return true;
          if (name === 'error') refuse(data.error);
          handlers[name]?.(data);
        }
        return false;
      });
      if (!done) throw new Trouble('gone', 'the answer broke off');
    },
  };
}

function form({ blob, name }, { languages, required, forbidden, texts, ...numbers }) {
  const form = new FormData();
  form.append('images', blob, name);
  for (const [field, values] of Object.entries({ languages, required, forbidden, texts })) {
    for (const value of values ?? []) form.append(field, value);
  }
  for (const [field, value] of Object.entries(numbers)) form.append(field, String(value));
  form.append('attention', 'true');
  form.append('stream', 'true');
  return form;
}

/** What fetch reports as a TypeError is a server that can't be reached, or one that hung up. */
async function reach(step) {
  try {
    return await step();
  } catch (error) {
    if (error.name === 'AbortError' || error instanceof Trouble) throw error;
    throw new Trouble('gone', error.message);
  }
}

/** A server that stops or has too much to do says so within the stream, too. */
function refuse(error) {
  if (error?.code === 'queue_full') throw new Trouble('busy', error.message);
  if (error?.code === 'stopping') throw new Trouble('gone', error.message);
}

async function trouble(response) {
  const error = (await response.json().catch(() => null))?.error;
  const message = error?.message ?? `${response.status} ${response.statusText}`;
  const details = { code: error?.code ?? '' };
  if (response.status === 401) return new Trouble('key', message, details);
  if (response.status === 502 || error?.code === 'stopping') return new Trouble('gone', message, details);
  if (response.status === 503 || response.status === 429) {
    const seconds = Number(response.headers.get('Retry-After'));
    if (seconds >= 1) details.seconds = Math.min(seconds, 60);
    return new Trouble('busy', message, details);
  }
  return new Trouble('refused', message, details);
}
