// Elements without markup in strings: text from outside can't become an element.

/** `element('p', { className: 'quiet' }, 'text', otherElement)` */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}
