// The paper: strokes and pictures, one above the other, each of which can be undone.

import { bytes } from "./pictures.js";

const INK = 10; // width of a line, of 280: as thin as lets small parts of a drawing stay apart
const STEP = 10;
const FINE_STEP = 2;

export class Pad {
  // `changed` is called whenever there is something new to see, `pen` with what the pen does.
  constructor(canvas, { changed, pen }) {
    this.canvas = canvas;
    this.items = []; // {points: [[x, y], ...]} or {picture, file}
    this.stroke = null; // the one that is being drawn
    this.at = null; // where the keyboard's pen is, once it is used
    this.isDown = false; // that pen
    this.lightInk = true; // in what is sent
    this.changed = changed;
    this.pen = pen;
    this.listen();
    this.draw();
  }

  get isEmpty() {
    return this.items.length === 0;
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      canvas.setPointerCapture(event.pointerId);
      this.liftPen();
      this.start(this.place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.stroke || this.isDown || !event.isPrimary) return;
      const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const part of events.length ? events : [event]) this.stroke.points.push(this.place(part));
      this.update();
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => {
        if (!this.isDown) this.stroke = null;
      });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.liftPen();
      this.at = null;
      this.draw();
    });
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  start(point) {
    this.stroke = { points: [point] };
    this.items.push(this.stroke);
    this.update();
  }

  key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in arrows) {
      const [x, y] = arrows[event.key].map((d) => d * (event.shiftKey ? FINE_STEP : STEP));
      const inside = (value) => Math.min(Math.max(value, 0), this.canvas.width);
      const [fromX, fromY] = this.at || this.middle();
      this.at = [inside(fromX + x), inside(fromY + y)];
      if (this.isDown) {
        this.stroke.points.push(this.at);
        this.update();
      } else {
        this.draw();
      }
    } else if (event.key === " " || event.key === "Enter") {
      this.at = this.at || this.middle();
      if (this.isDown) {
        this.liftPen();
      } else {
        this.start(this.at);
        this.isDown = true;
        this.pen("Pen down.");
      }
    } else if (event.key === "Escape") {
      this.liftPen();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  middle() {
    return [this.canvas.width / 2, this.canvas.height / 2];
  }

  liftPen() {
    if (this.isDown) this.pen("Pen up.");
    this.isDown = false;
    this.stroke = null;
  }

  undo() {
    this.liftPen();
    this.items.pop();
    this.update();
  }

  clear() {
    this.liftPen();
    this.items = [];
    this.update();
  }

  // A picture lies on what was there; what it is made of goes to the server as it is.
  async add(file) {
    const picture = await createImageBitmap(file).catch(() => null); // TIFF, in most browsers
    this.liftPen();
    this.items.push({ picture, file });
    this.update();
  }

  update() {
    this.draw();
    this.changed();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    paint(context, this.items, { paper: "#ffffff", ink: "#1b1f24" });
    if (this.at) {
      context.strokeStyle = this.isDown ? "#c25400" : "#0a5fb4";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(...this.at, INK / 2 + 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  // What is on the paper now, whatever is drawn later, and where on it lies what is asked about.
  sketch() {
    const items = this.items.map((item) => item.points ? { points: [...item.points] } : item);
    const { width, height } = this.canvas;
    const top = items.at(-1);
    return { items, width, height, place: top.picture ? fitted(top.picture, width, height) : [0, 0, width, height] };
  }

  // What is asked about: the file of a picture on top, else the whole paper as a PNG.
  file() {
    const top = this.items.at(-1);
    if (top.file) return top.file;
    const canvas = document.createElement("canvas");
    canvas.width = this.canvas.width;
    canvas.height = this.canvas.height;
    const overPicture = this.items.some((item) => item.file);
    const light = this.lightInk && !overPicture;
    const colours = light ? { paper: "#000", ink: "#fff" } : { paper: "#fff", ink: "#000" };
    paint(canvas.getContext("2d"), this.items, colours);
    // toBlob waits until the browser has nothing to do, up to a second.
    const data = canvas.toDataURL("image/png").split(",")[1];
    return new Blob([bytes(data)], { type: "image/png" });
  }
}

export function paint(context, items, { paper, ink }) {
  const { width, height } = context.canvas;
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  for (const item of items) {
    if (item.points) paintStroke(context, item.points, ink);
    else paintPicture(context, item, ink);
  }
}

function paintStroke(context, points, ink) {
  context.strokeStyle = ink;
  context.lineWidth = INK;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    const [x, y] = points[i];
    const [nextX, nextY] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}

function paintPicture(context, { picture, file }, ink) {
  const { width, height } = context.canvas;
  if (!picture) {
    context.fillStyle = ink;
    context.font = "16px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(file.name || "a picture", width / 2, height / 2 - 10, width - 20);
    context.fillText("(this browser cannot show it)", width / 2, height / 2 + 14, width - 20);
    return;
  }
  context.drawImage(picture, ...fitted(picture, width, height));
}

// Left, top, width and height of a picture as large as fits into the middle.
function fitted(picture, width, height) {
  const scale = Math.min(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  return [(width - w) / 2, (height - h) / 2, w, h];
}
