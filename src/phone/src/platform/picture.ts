import decode from 'qr/decode.js';

/** The picture's own darkest becomes black, and its lightest white. */
function stretch(data: Uint8ClampedArray): void {
  let [darkest, lightest] = [255, 0];
  for (let at = 1; at < data.length; at += 4) {
    darkest = Math.min(darkest, data[at]!);
    lightest = Math.max(lightest, data[at]!);
  }
  const scale = 255 / Math.max(1, lightest - darkest);
  for (let at = 0; at < data.length; at += 4) data[at] = data[at + 1] = data[at + 2] = (data[at + 1]! - darkest) * scale;
}

/**
 * Looks for a QR code in a square of `source` and answers its text. The first look takes the picture as it is; the second, meant for
 * the next frame, takes it smaller and with all of its contrast, and reads pale and tilted codes that the first does not.
 */
export default function read(context: CanvasRenderingContext2D, source: CanvasImageSource, x: number, y: number, square: number, second: boolean): string | null {
  const side = second ? 500 : 600;
  context.drawImage(source, x, y, square, square, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  if (second) stretch(data);
  try {
    return decode({ width: side, height: side, data });
  } catch {
    return null; // No code in this frame; the next comes in a thirtieth of a second.
  }
}
