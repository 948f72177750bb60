// Light or dark: what the system says, until the switch is used.

import { label } from './labels.js';

const KEY = 'theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export function startTheme(button) {
  const chosen = () => localStorage.getItem(KEY) ?? (system.matches ? 'dark' : 'light');
  const show = () => {
    const theme = chosen();
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? '☀' : '☾';
    button.setAttribute('aria-label', label(theme === 'dark' ? 'light' : 'dark'));
    button.title = button.getAttribute('aria-label');
  };
  button.addEventListener('click', () => {
    localStorage.setItem(KEY, chosen() === 'dark' ? 'light' : 'dark');
    show();
  });
  system.addEventListener('change', show);
  document.addEventListener('labels', show);
  show();
}
