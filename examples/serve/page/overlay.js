// Where the decoder looked: the picture darkens where it did not.

const DARKEST = 200;
const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

/** Draws a word's `patches` over the part of the picture that they are `shown` of; without a word, nothing. */
export function drawLook(canvas, picture, word, shown = WHOLE) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = picture.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.hidden = !word?.patches;
  if (canvas.hidden) return;
  const context = canvas.getContext('2d');
  const drawn = contained(picture, canvas.width, canvas.height);
  const seen = part(drawn, shown);
  context.beginPath();
  // Padding is no part of the picture.
  context.rect(drawn.x, drawn.y, drawn.width, drawn.height);
  context.clip();
  context.fillStyle = `rgba(8, 10, 16, ${DARKEST / 255})`;
  context.fillRect(drawn.x, drawn.y, drawn.width, drawn.height);
  context.clearRect(seen.x, seen.y, seen.width, seen.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(shade(word), seen.x, seen.y, seen.width, seen.height);
}

/** A pixel for each patch; stretching it smooths it. */
function shade({ rows, columns, patches }) {
  const most = Math.max(...patches, 1e-9);
  const small = document.createElement('canvas');
  small.width = columns;
  small.height = rows;
  const context = small.getContext('2d');
  const pixels = context.createImageData(columns, rows);
  patches.forEach((weight, index) => {
    pixels.data.set([8, 10, 16, DARKEST * (1 - Math.sqrt(weight / most))], index * 4);
  });
  context.putImageData(pixels, 0, 0);
  return small;
}

/** Where `object-fit: contain` puts the picture. */
function contained({ naturalWidth, naturalHeight }, width, height) {
  const scale = Math.min(width / (naturalWidth || width), height / (naturalHeight || height));
  const shown = { width: (naturalWidth || width) * scale, height: (naturalHeight || height) * scale };
  return { ...shown, x: (width - shown.width) / 2, y: (height - shown.height) / 2 };
}

function part({ x, y, width, height }, { left, top, right, bottom }) {
  return {
    x: x + left * width,
    y: y + top * height,
    width: (right - left) * width,
    height: (bottom - top) * height,
  };
}
