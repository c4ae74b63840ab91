// All layers on one canvas: the pixels on top, a row of units for each layer, the classes at the
// end, and the strongest connections between them.

import { bytes, css, pixelImage, scratch, signed, signedImage } from "./pictures.js";

const ROW_GAP = 46; // room for connections and a label
const LABEL = 16;
const CELL_GAP = 2;

export function drawNetwork(canvas, inside, classNames, colours) {
  const width = canvas.clientWidth || 300;
  const rows = layOut(inside, width, classNames);
  const height = rows.at(-1).bottom + 22;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  const [pixels, ...layers] = rows;
  pixels.draw(context, colours); // connections start on the picture, so they lie over it
  for (const connections of inside.connections) {
    drawLinks(context, connections, rows[connections.source + 1], rows[connections.layer + 1], colours);
  }
  for (const row of layers) row.draw(context, colours);
  inside.layers.forEach((layer, i) => label(context, describe(layer), layers[i].top, colours));
}

function layOut(inside, width, classNames) {
  const rows = [pixelRow(inside.pixels, width)];
  inside.layers.forEach((layer, i) => {
    const top = rows.at(-1).bottom + ROW_GAP;
    const isLast = i === inside.layers.length - 1;
    const row = layer.maps ? mapRow(layer, top, width) : unitRow(layer, top, width, isLast && classNames);
    rows.push(row);
  });
  return rows;
}

function pixelRow(pixels, width) {
  const size = Math.min(width, 150);
  const [w, h] = pixels.width > pixels.height
    ? [size, (size * pixels.height) / pixels.width]
    : [(size * pixels.width) / pixels.height, size];
  const left = (width - w) / 2;
  return {
    bottom: h,
    center: (index) => {
      const pixel = Math.floor(index / pixels.channels);
      const [row, column] = [Math.floor(pixel / pixels.width), pixel % pixels.width];
      return [left + ((column + 0.5) * w) / pixels.width, ((row + 0.5) * h) / pixels.height];
    },
    draw: (context) => context.drawImage(scratch(pixelImage(pixels)), left, 0, w, h),
  };
}

function grid(n, top, width, { smallest, largest }) {
  let size = Math.floor(width / n) - CELL_GAP;
  size = Math.max(smallest, Math.min(largest, size));
  const across = Math.max(1, Math.min(n, Math.floor((width + CELL_GAP) / (size + CELL_GAP))));
  const left = (width - across * (size + CELL_GAP) + CELL_GAP) / 2;
  const corner = (i) => [
    left + (i % across) * (size + CELL_GAP),
    top + Math.floor(i / across) * (size + CELL_GAP),
  ];
  const lines = Math.ceil(n / across);
  return { size, corner, bottom: top + lines * (size + CELL_GAP) - CELL_GAP };
}

function label(context, text, top, colours) {
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "left";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = css(colours.card);
  context.fillStyle = css(colours.soft);
  context.strokeText(text, 0, top - 6);
  context.fillText(text, 0, top - 6);
}

function describe(layer) {
  const shown = layer.maps ? layer.maps.count : layer.values.length;
  const part = shown < layer.n_units ? `, the first ${shown} shown` : "";
  const zero = layer.n_zero ? `, ${layer.n_zero} at 0` : "";
  return `${layer.name}: ${layer.n_units} units${part}${zero}`;
}

function unitRow(layer, top, width, names) {
  const values = layer.values;
  const cells = grid(values.length, top, width, { smallest: 7, largest: names ? 34 : 22 });
  return {
    bottom: cells.bottom,
    center: (i) => middle(cells, Math.min(i, values.length - 1)),
    top,
    draw: (context, colours) => {
      values.forEach((value, i) => {
        const [x, y] = cells.corner(i);
        context.fillStyle = css(signed(value / (layer.largest || 1), colours));
        context.fillRect(x, y, cells.size, cells.size);
        context.strokeStyle = css(colours.rule);
        context.lineWidth = 1;
        context.strokeRect(x + 0.5, y + 0.5, cells.size - 1, cells.size - 1);
      });
      if (names && values.length <= 4) writeNames(context, cells, names, colours);
    },
  };
}

function writeNames(context, cells, names, colours) {
  context.fillStyle = css(colours.ink);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  const short = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);
  names.forEach((name, i) => {
    const [x, y] = cells.corner(i);
    const isLeft = i < names.length / 2;
    context.textAlign = isLeft ? "right" : "left";
    if (names.length === 2) {
      context.fillText(short(name), isLeft ? x - 6 : x + cells.size + 6, y + cells.size / 2 + 4);
    } else {
      context.textAlign = "center";
      context.fillText(short(name), x + cells.size / 2, y + cells.size + LABEL, cells.size + 40);
    }
  });
}

function mapRow(layer, top, width) {
  const { count, height: h, width: w, data } = layer.maps;
  const cells = grid(count, top, width, { smallest: 24, largest: 44 });
  return {
    bottom: cells.bottom,
    center: (index) => middle(cells, Math.min(index % layer.n_units, count - 1)),
    top,
    draw: (context, colours) => {
      const all = scratch(signedImage(w, h * count, bytes(data), colours));
      for (let i = 0; i < count; i++) {
        context.drawImage(all, 0, i * h, w, h, ...cells.corner(i), cells.size, cells.size);
      }
    },
  };
}

function middle(cells, i) {
  const [x, y] = cells.corner(i);
  return [x + cells.size / 2, y + cells.size / 2];
}

function drawLinks(context, { links }, from, to, colours) {
  const largest = Math.abs(links[0]?.[2] ?? 1);
  for (const [input, unit, product] of [...links].reverse()) {
    const share = Math.abs(product) / largest;
    const [[x1, y1], [x2, y2]] = [from.center(input), to.center(unit)];
    context.strokeStyle = css(product < 0 ? colours.minus : colours.plus, 0.15 + 0.7 * share);
    context.lineWidth = 0.5 + 2 * share;
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1, y1 + ROW_GAP / 2, x2, y2 - ROW_GAP / 2, x2, y2);
    context.stroke();
  }
}
