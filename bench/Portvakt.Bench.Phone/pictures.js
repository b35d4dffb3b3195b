// Eighteen bad pictures of one code, the same every time, and one good one; each is read by the app's own reader, with its two looks.
// With `frames`: how long a look at the good one takes, the median in milliseconds. Without: which bad ones were not read.
async ({ modules, path, reader, frames }) => {
  const side = 600;
  const { default: look } = await import(reader);
  let seed = 20261122;
  const random = () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
  const canvas = () => Object.assign(document.createElement('canvas'), { width: side, height: side });

  const code = canvas();
  {
    const context = code.getContext('2d');
    const scale = side / modules;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, side, side);
    context.fillStyle = '#000';
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fill(new Path2D(path));
  }

  // Four samples for each pixel of a picture that hangs in space, seen from five of its sides away: 6 cm from 30 cm.
  const { data: flat } = code.getContext('2d').getImageData(0, 0, side, side);
  const hang = ({ tilt, turn, size }) => {
    const [lean, spin, far] = [tilt * Math.PI / 180, turn * Math.PI / 180, size * 5];
    const picture = canvas();
    const image = picture.getContext('2d').createImageData(side, side);
    for (let at = 0; at < side * side; at++) {
      let sum = 0;
      for (const [dx, dy] of [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]) {
        const px = at % side + dx - side / 2, py = Math.floor(at / side) + dy - side / 2;
        const x = px * Math.cos(spin) + py * Math.sin(spin), y = py * Math.cos(spin) - px * Math.sin(spin);
        const v = y * far / (far * Math.cos(lean) - y * Math.sin(lean)), u = x * (far + v * Math.sin(lean)) / far;
        const column = Math.floor((u / size + 0.5) * side), row = Math.floor((v / size + 0.5) * side);
        sum += column >= 0 && column < side && row >= 0 && row < side ? flat[(row * side + column) * 4] : 154;
      }
      image.data.set([sum / 4, sum / 4, sum / 4, 255], at * 4);
    }
    picture.getContext('2d').putImageData(image, 0, 0);
    return picture;
  };

  const draw = ({ blur = 0, motion = 0, tilt = 0, turn = 0, size = 340, dark = 0, light = 255, noise = 0, glare = 0 }) => {
    const hung = hang({ tilt, turn, size });
    const picture = canvas();
    const context = picture.getContext('2d', { willReadFrequently: true });
    context.filter = blur ? `blur(${blur}px)` : 'none';
    for (let step = 0; step < Math.max(1, motion); step++) {
      context.globalAlpha = 1 / (step + 1); // so that all steps count the same
      context.drawImage(hung, step - Math.floor(motion / 2), 0);
    }
    const image = context.getImageData(0, 0, side, side);
    for (let at = 0; at < image.data.length; at += 4) {
      const pixel = at / 4;
      const x = pixel % side - side * 0.42, y = Math.floor(pixel / side) - side * 0.42;
      const shine = glare * Math.exp(-(x * x + y * y) / 3600);
      const value = dark + (light - dark) * image.data[at] / 255 + (random() - 0.5) * noise + shine;
      image.data[at] = image.data[at + 1] = image.data[at + 2] = Math.max(0, Math.min(255, value));
    }
    return image;
  };

  const bad = {
    'blur 2': { blur: 2 }, 'blur 3': { blur: 3 }, 'blur 4': { blur: 4 },
    'motion 6': { motion: 6 }, 'motion 10': { motion: 10 },
    'tilt 30': { tilt: 30 }, 'tilt 45': { tilt: 45 }, 'tilt 60': { tilt: 60 },
    'contrast 20 %': { dark: 100, light: 151 }, 'contrast 10 %': { dark: 115, light: 140 },
    'dark, noise': { dark: 5, light: 60, noise: 20 }, 'darker, noise': { dark: 2, light: 36, noise: 16 },
    'glare': { glare: 120 }, 'more glare': { glare: 200 },
    'inverted': { dark: 255, light: 0 },
    'small': { size: 150 }, 'smaller': { size: 110 },
    'all mixed': { blur: 1, tilt: 25, turn: 12, size: 260, dark: 40, light: 190, noise: 20 },
  };
  const eye = canvas().getContext('2d', { willReadFrequently: true });
  const shown = canvas();
  const show = image => shown.getContext('2d').putImageData(image, 0, 0);
  const read = second => look(eye, shown, 0, 0, side, second);

  const good = draw({ turn: 3 });
  show(good);
  const text = read(false);
  if (text === null) throw new Error('The good picture was not read.');
  if (frames > 0) {
    const times = [];
    for (let frame = 0; frame < frames; frame++) {
      const began = performance.now();
      read(frame % 2 > 0);
      times.push(performance.now() - began);
    }
    return times.sort((one, other) => one - other)[Math.floor(frames / 2)];
  }
  const unread = Object.entries(bad).filter(([, how]) => {
    show(draw(how));
    return read(false) !== text && read(true) !== text;
  }).map(([name]) => name);
  return JSON.stringify({ all: Object.keys(bad).length, unread });
}
