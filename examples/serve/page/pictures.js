// How pictures come to the page: dropped, pasted, chosen, photographed.

const isPicture = (file) => file.type.startsWith('image/') || /\.(jpe?g|png|gif|webp|bmp|tiff?)$/i.test(file.name);

/** Calls `add(files)` with whatever comes. What is no picture by its type goes too: the server says what is wrong. */
export function startPictures(add) {
  const zone = document.getElementById('drop');
  const take = (list) => {
    const files = [...(list ?? [])];
    const pictures = files.filter(isPicture);
    if (files.length) add(pictures.length ? pictures : files.slice(0, 1));
  };

  for (const [button, input] of [['choose', 'files'], ['photograph', 'camera']]) {
    const chooser = document.getElementById(input);
    document.getElementById(button).addEventListener('click', () => chooser.click());
    chooser.addEventListener('change', () => {
      take(chooser.files);
      chooser.value = '';
    });
  }

  let depth = 0;
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    zone.classList.toggle('over', depth > 0);
  };
  addEventListener('dragenter', () => mark(1));
  addEventListener('dragleave', () => mark(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    mark(-depth);
    take(event.dataTransfer?.files);
  });

  addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      take(event.clipboardData.files);
    }
  });
}
