// Where the decoder looked: the picture darkens where it did not.

const DARKEST = 200;
/** What a captioner shows that does not say it. */
const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

/** Draws a word's `patches` over the part of the picture that the model sees; without a word, clears the canvas. */
export function drawLook(canvas, picture, word, shown = WHOLE) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = picture.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.hidden = !word?.patches;
  if (canvas.hidden) return;
  const context = canvas.getContext('2d');
  const frame = contained(picture, canvas.width, canvas.height);
  context.translate(frame.x, frame.y);
  // From here on, everything is in the picture as the model sees it.
  let [across, down] = [frame.width, frame.height];
  if (shown.turned) {
    context.translate(0, frame.height);
    context.rotate(-Math.PI / 2);
    [across, down] = [down, across];
  }
  context.beginPath();
  context.rect(0, 0, across, down);
  // Padding lies outside of the picture.
  context.clip();
  context.fillStyle = `rgba(8, 10, 16, ${DARKEST / 255})`;
  context.fillRect(0, 0, across, down);
  const seen = [shown.left * across, shown.top * down, (shown.right - shown.left) * across, (shown.bottom - shown.top) * down];
  context.clearRect(...seen);
  context.imageSmoothingQuality = 'high';
  context.drawImage(shade(word), ...seen);
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
