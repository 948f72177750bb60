// What writes captions, as the page sees it. Whatever offers these functions can stand behind the page:
//
//   model({ signal }) -> { name, about, languages: [{ code, short, name, default }], defaults, limits, patches }
//   caption(picture, options, { onImage, onDraft, onCaptions, onScores, onError, signal }) -> settles when all is said
//   setKey(key), for those that ask for one
//
// `picture` is { blob, name }. `options` has Hugging Face's names: { languages, num_beams, num_return_sequences,
// required, forbidden, texts }. The callbacks get what the server's events say:
//
//   onImage({ width, height, shown: { left, top, right, bottom, turned } }): what the model sees, in fractions
//   onDraft({ language, sequence, settled, draft })
//   onCaptions({ language, captions: [{ text, score, tokens, words }] })
//   onScores({ scores: [{ language, text, score }] })
//   onError({ language, error: { code, message } }): without a language, it is about the picture
//
// Both functions reject with a `Trouble` where nothing more can be said, and with an AbortError when they are stopped.

import { httpCaptioner } from './http.js';

export const captioner = httpCaptioner('v1/');
