// Draws the app's icons: a shield with a gate in it. PNG by hand (RFC 2083), so that the build needs no native package.
import { crc32, deflateSync } from 'node:zlib';

const blue = [0x00, 0x62, 0xba];
const white = [0xff, 0xff, 0xff];

/** The mark on a square of 100: an outline and the gate that is cut out of it. */
const shield = 'M24 20H76V50C76 67 65 78 50 85C35 78 24 67 24 50Z';
const gate = 'M39 66V49C39 42.9 43.9 38 50 38C56.1 38 61 42.9 61 49V66Z';

export const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" rx="22" fill="#0062ba"/>`
  + `<path d="${shield}${gate}" fill="#fff" fill-rule="evenodd"/></svg>\n`;

function polygon(path) {
  const points = [];
  let [x, y] = [0, 0];
  for (const [, letter, numbers] of path.matchAll(/([MHVC])([\d. ]+)/g)) {
    const values = numbers.trim().split(' ').map(Number);
    if (letter === 'H') x = values[0];
    else if (letter === 'V') y = values[0];
    else if (letter === 'C') {
      const [x1, y1, x2, y2, x3, y3] = values;
      for (let step = 1; step < 24; step++) {
        const t = step / 24;
        const u = 1 - t;
        points.push([u ** 3 * x + 3 * u * u * t * x1 + 3 * u * t * t * x2 + t ** 3 * x3, u ** 3 * y + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t ** 3 * y3]);
      }
      [x, y] = [x3, y3];
    } else [x, y] = values;
    points.push([x, y]);
  }
  return points;
}

function inside(points, x, y) {
  let odd = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [xi, yi] = points[i];
    const [xj, yj] = points[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

const outline = polygon(shield);
const opening = polygon(gate);
const inMark = (x, y) => inside(outline, x, y) && !inside(opening, x, y);

function inRounded(x, y, radius) {
  const dx = Math.max(radius - x, x - (100 - radius), 0);
  const dy = Math.max(radius - y, y - (100 - radius), 0);
  return dx * dx + dy * dy <= radius * radius;
}

/** `ground`: 'rounded', 'full' (the platform cuts it) or 'none' (a white silhouette for the status bar). */
export function png(size, ground, scale = 1) {
  const samples = 4;
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let [r, g, b, a] = [0, 0, 0, 0];
      for (let sample = 0; sample < samples * samples; sample++) {
        const x = ((column + ((sample % samples) + 0.5) / samples) / size) * 100;
        const y = ((row + (Math.floor(sample / samples) + 0.5) / samples) / size) * 100;
        const mark = inMark((x - 50) / scale + 50, (y - 50) / scale + 50);
        const colour = mark ? white : ground === 'none' || (ground === 'rounded' && !inRounded(x, y, 22)) ? null : blue;
        if (colour) {
          r += colour[0];
          g += colour[1];
          b += colour[2];
          a++;
        }
      }
      const at = row * (size * 4 + 1) + 1 + column * 4;
      if (a > 0) rows.set([r / a, g / a, b / a, (a * 255) / (samples * samples)].map(Math.round), at);
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}
