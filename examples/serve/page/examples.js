// Pictures to click at the first visit.

import { element } from './element.js';
import { label } from './labels.js';

const NAMES = ['cat-and-pizza-blue', 'penguin-blue', 'guitar-yellow', 'whale-and-anchor-white'];

export function startExamples(add) {
  const list = document.getElementById('example-list');
  NAMES.forEach((name, index) => {
    const file = `${name}.webp`;
    const picture = element('img', { src: `page/examples/${file}`, width: 88, height: 88, alt: '' });
    const button = element('button', { type: 'button', className: 'example' }, picture);
    const named = () => button.setAttribute('aria-label', label('example', { number: index + 1 }));
    named();
    document.addEventListener('labels', named);
    button.addEventListener('click', async () => {
      const blob = await fetch(picture.src).then((answer) => answer.blob(), () => null);
      if (blob) add([new File([blob], file, { type: blob.type })]);
    });
    list.append(element('li', {}, button));
  });
}
