// Captions as files and as text.

/** `items` are { name, results: Map(language -> captions), scores }. */
export function asJson(model, items) {
  const images = items.map(({ name, results, scores }) => ({
    name,
    languages: [...results].map(([language, captions]) => ({ language, captions })),
    scores,
  }));
  return JSON.stringify({ model, images }, null, 2);
}

export function asCsv(items) {
  const lines = [['name', 'language', 'rank', 'caption', 'score']];
  for (const { name, results } of items) {
    for (const [language, captions] of results) {
      captions.forEach(({ text, score }, index) => lines.push([name, language, index + 1, text, score]));
    }
  }
  return lines.map((line) => line.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** A spreadsheet takes text that begins like a formula for one; an apostrophe prevents that. */
function cell(value) {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A slide show: five seconds for each picture, its best caption in each language. */
export function asVtt(items) {
  const cues = items.map(({ name, results }, index) => {
    const lines = [...results].map(([language, captions]) =>
      `<lang ${language.split('_')[0]}>${plain(captions[0]?.text ?? '')}</lang>`);
    return `${plain(name)}\n${time(index * 5)} --> ${time(index * 5 + 5)}\n${lines.join('\n')}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

const plain = (text) =>
  text.replace(/[\r\n]+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function time(seconds) {
  const two = (value) => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.000`;
}

export function download(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
