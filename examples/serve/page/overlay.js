// Where the decoder looked: the picture darkens where it did not.

const DARKEST = 200;

/** Draws a word's `patches` over the picture, which fills the canvas; null clears it. */
export function drawLook(canvas, picture, word) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = picture.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.hidden = !word?.patches;
  if (canvas.hidden) return;
  const context = canvas.getContext('2d');
  const shown = contained(picture, canvas.width, canvas.height);
  const seen = cropped(shown, word.rows / word.columns);
  context.fillStyle = `rgba(8, 10, 16, ${DARKEST / 255})`;
  context.fillRect(shown.x, shown.y, shown.width, shown.height);
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

/** CLIP sees the middle of a picture: the shorter side as a whole, and as much of the longer one. */
function cropped({ x, y, width, height }, ratio) {
  const side = Math.min(width, height / ratio);
  return { x: x + (width - side) / 2, y: y + (height - side * ratio) / 2, width: side, height: side * ratio };
}
