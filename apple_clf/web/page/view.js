// One model's card: answer, probabilities, what it saw, its layers, its weights.

import { drawNetwork } from "./network.js";
import { paint } from "./pad.js";
import { bytes, css, image, pixelImage, scratch, show, signed, signedImage, theColours } from "./pictures.js";

const percent = (p) => `${(100 * p).toFixed(1)} %`;

export class ModelView {
  constructor(described, template) {
    this.described = described;
    this.card = template.content.cloneNode(true).firstElementChild;
    this.inside = null;
    this.weights = null;
    const find = (selector) => this.card.querySelector(selector);
    this.find = find;
    this.card.setAttribute("aria-label", described.name);
    find("h2").textContent = described.name;
    find(".about").textContent = described.verdict ? `It is ${described.verdict}.` : "";
    find(".bars").append(...described.class_names.flatMap(bar));
    const network = find(".network");
    new ResizeObserver(() => this.drawLayers()).observe(network.parentElement);
    if (described.weights) this.offerWeights();
    this.clear();
  }

  clear() {
    this.inside = null;
    this.card.classList.add("waiting");
    this.card.classList.remove("unsure");
    this.say("Nothing drawn yet");
    this.find(".inside").hidden = true;
    this.find(".notes").replaceChildren();
    for (const part of this.find(".bars").querySelectorAll("span")) part.textContent = "";
    for (const part of this.find(".bars").querySelectorAll("b")) part.style.width = "0";
  }

  // A screen reader reads what changed, so what did not is left alone.
  say(verdict, doubt = "") {
    for (const [selector, text] of [[".verdict", verdict], [".doubt", doubt]]) {
      const part = this.find(selector);
      if (part.textContent !== text) part.textContent = text;
    }
  }

  render(inside, sketch) {
    this.inside = inside;
    this.sketch = sketch;
    const { answer } = inside;
    this.card.classList.remove("waiting");
    this.card.classList.toggle("unsure", answer.unsure);
    if (answer.unsure) {
      this.say("I don't know", `Unlike anything it was trained on. Closest class: ${answer.class}`);
    } else {
      this.say(answer.class);
    }
    const [texts, bars] = ["span", "b"].map((name) => this.find(".bars").querySelectorAll(name));
    this.described.class_names.forEach((name, i) => {
      texts[i].textContent = percent(answer.probabilities[name]);
      bars[i].style.width = `${100 * answer.probabilities[name]}%`;
    });
    this.find(".inside").hidden = false;
    this.find(".notes").replaceChildren(...inside.notes.map((text) => element("li", text)));
    this.find(".layers").hidden = this.find(".numbers").hidden = !inside.layers;
    this.draw();
    if (inside.layers) this.fillNumbers();
  }

  draw() {
    if (this.inside) {
      this.drawPictures();
      this.drawLayers();
    }
    this.drawWeights();
  }

  drawPictures() {
    const { pixels, steps, attribution } = this.inside;
    this.drawOriginal();
    const canvas = this.find(".pixels");
    show(canvas, pixelImage(pixels));
    canvas.setAttribute("aria-label", `The drawing as ${pixels.width} by ${pixels.height} pixels`);
    this.find(".steps").textContent = steps.length ? `How the drawing was read: ${steps.join(" · ")}` : "";
    this.find(".attribution").hidden = !attribution;
    if (!attribution) return;
    const name = attribution.class;
    this.find(".attribution figcaption").textContent = `What spoke for ${name}`;
    const heat = this.find(".heat");
    drawOver(heat, this.sketch, this.inside);
    heat.setAttribute("aria-label", `The drawing, with what spoke for ${name} and against it`);
    this.find(".attribution .note").textContent =
      `Integrated gradients, ${attribution.steps} steps; their sum misses by ${percent(attribution.error)}.`;
  }

  // A picture that was dropped, pasted or chosen; what is drawn stands on the paper already.
  drawOriginal() {
    const { items, place } = this.sketch;
    const top = items.at(-1);
    this.find(".original").hidden = !top.picture;
    if (!top.picture) return;
    const canvas = this.find(".original canvas");
    drawFramed(canvas, top.picture, place, this.inside.frame);
    canvas.setAttribute("aria-label", `The picture as it is${top.file.name ? `: ${top.file.name}` : ""}`);
  }

  drawLayers() {
    if (!this.inside?.layers) return;
    const canvas = this.find(".network");
    drawNetwork(canvas, this.inside, this.described.class_names, theColours());
    const words = this.inside.layers.map((l) => `${l.name} with ${l.n_units} units, ${l.n_zero} at 0`);
    canvas.setAttribute("aria-label", `Layers: ${words.join("; ")}`);
  }

  fillNumbers() {
    this.find("tbody").replaceChildren(...this.inside.layers.map((layer) => {
      const row = document.createElement("tr");
      const strongest = layer.values
        ? layer.values.map((value, i) => [i, value])
            .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 5)
            .map(([i, value]) => `${i}: ${value.toPrecision(3)}`).join(", ")
        : `up to ${layer.largest.toPrecision(3)}`;
      const name = element("th", layer.name);
      name.scope = "row";
      row.append(name, element("td", layer.n_units), element("td", layer.n_zero), element("td", strongest));
      return row;
    }));
  }

  offerWeights() {
    const details = this.find(".weights");
    details.hidden = false;
    details.addEventListener("toggle", async () => {
      if (!details.open || this.weights) return;
      const response = await fetch(`/weights?model=${this.described.model}`);
      if (!response.ok) return;
      this.weights = await response.json();
      const slider = details.querySelector("input");
      slider.max = slider.value = this.weights.epochs.length - 1;
      slider.addEventListener("input", () => this.drawWeights());
      this.drawWeights();
    });
  }

  drawWeights() {
    if (!this.weights) return;
    const { width, height, units, epochs, pictures, layer } = this.weights;
    const slider = this.find(".weights input");
    const epoch = epochs[slider.value];
    this.find(".weights output").textContent = epoch;
    slider.setAttribute("aria-valuetext", `epoch ${epoch}`);
    const canvas = this.find(".weights canvas");
    const scale = Math.max(1, Math.round(64 / width));
    const across = Math.min(units, Math.max(1, Math.floor(512 / (width * scale + 4))));
    canvas.width = across * (width * scale + 4);
    canvas.height = Math.ceil(units / across) * (height * scale + 4);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    const all = scratch(signedImage(width, height * units, bytes(pictures[slider.value]), theColours()));
    for (let i = 0; i < units; i++) {
      const [x, y] = [(i % across) * (width * scale + 4), Math.floor(i / across) * (height * scale + 4)];
      context.drawImage(all, 0, i * height, width, height, x, y, width * scale, height * scale);
    }
    canvas.setAttribute("aria-label", `Weights of ${units} units of ${layer} at epoch ${epoch}`);
  }
}

// A picture, without margins, and a frame around the part of it that becomes pixels.
function drawFramed(canvas, picture, [, , width, height], frame) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [top, left, tall, wide] = frame;
  const inside = (share, length) => Math.min(Math.max(share * length, 2), length - 2);
  const [x, y] = [inside(left, canvas.width), inside(top, canvas.height)];
  const [right, bottom] = [inside(left + wide, canvas.width), inside(top + tall, canvas.height)];
  for (const [colour, thickness] of [["#fff", 4], [css(theColours().plus), 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.strokeRect(x, y, right - x, bottom - y);
  }
}

// The drawing, faint, with what spoke for the answer and against it over the strokes themselves.
function drawOver(canvas, { items, width, height, place }, { pixels, frame, attribution }) {
  const colours = theColours();
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  paint(context, items, { paper: css(colours.wash), ink: css(colours.soft) });
  context.fillStyle = css(colours.wash, 0.6);
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  const [top, left, tall, wide] = frame;
  const [x, y, w, h] = place;
  const heat = scratch(heatImage(pixels, bytes(attribution.data), colours));
  context.drawImage(heat, x + left * w, y + top * h, wide * w, tall * h);
}

// The stronger, the less transparent.
function heatImage({ width, height }, values, colours) {
  const data = image(width, height, (i) => signed(Math.sign(values[i] - 128), colours));
  for (let i = 0; i < values.length; i++) {
    data.data[4 * i + 3] = 255 * Math.min(1, (Math.abs(values[i] - 128) / 127) * 1.5);
  }
  return data;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function bar(name) {
  const value = document.createElement("dd");
  const track = document.createElement("i");
  track.append(document.createElement("b"));
  value.append(track, document.createElement("span"));
  return [element("dt", name), value];
}
