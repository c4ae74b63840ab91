// Bytes from the server -> pictures on a canvas.

export function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The red, green and blue of a CSS variable, whatever function its value is.
export function rgb(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return parts.slice(0, 3);
}

export function theColours() {
  const names = ["plus", "minus", "wash", "ink", "soft", "card", "rule"];
  return Object.fromEntries(names.map((name) => [name, rgb(`--${name}`)]));
}

export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

// A colour for -1 to 1: minus, wash, plus.
export function signed(value, colours) {
  const end = value < 0 ? colours.minus : colours.plus;
  const share = Math.min(Math.abs(value), 1);
  return colours.wash.map((c, i) => c + (end[i] - c) * share);
}

// An ImageData of pixels that a function gives: index -> [r, g, b].
export function image(width, height, pixel) {
  const data = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    [data.data[4 * i], data.data[4 * i + 1], data.data[4 * i + 2]] = pixel(i);
    data.data[4 * i + 3] = 255;
  }
  return data;
}

export function pixelImage({ width, height, channels, data }) {
  const values = bytes(data);
  return image(width, height, (i) =>
    channels === 1 ? [values[i], values[i], values[i]] : values.subarray(3 * i, 3 * i + 3));
}

// Values that the server sent as 128 + value / largest * 127.
export function signedImage(width, height, values, colours) {
  const palette = new Uint8ClampedArray(4 * 256).fill(255);
  for (let value = 0; value < 256; value++) palette.set(signed((value - 128) / 127, colours), 4 * value);
  const whole = new Uint32Array(palette.buffer);
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = whole[values[i]];
  return data;
}

// As large as one wants, every pixel a sharp square.
export function show(canvas, data) {
  canvas.width = data.width;
  canvas.height = data.height;
  canvas.getContext("2d").putImageData(data, 0, 0);
}

export function scratch(data) {
  const canvas = new OffscreenCanvas(data.width, data.height);
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}
