// Draw, ask, show. One question is under way at a time; the newest drawing is asked about next.

import { Pad } from "./pad.js";
import { connectTheme } from "./theme.js";
import { ModelView } from "./view.js";

const byId = (id) => document.getElementById(id);
const views = [];
const pad = new Pad(byId("pad"), { changed: padChanged, pen: (text) => { byId("pen").textContent = text; } });
let isAsking = false;
let isStale = false;

function padChanged() {
  byId("undo").disabled = byId("clear").disabled = byId("send").disabled = pad.isEmpty;
  byId("hint").hidden = !pad.isEmpty;
  byId("kept").textContent = "";
  ask();
}

async function ask() {
  isStale = true;
  document.documentElement.dataset.state = "asking";
  if (isAsking) return;
  isAsking = true;
  while (isStale) {
    isStale = false;
    await (pad.isEmpty ? clear() : askOnce());
  }
  isAsking = false;
  document.documentElement.dataset.state = "answered";
}

function clear() {
  for (const view of views) view.clear();
  byId("took").textContent = "";
  complain("");
}

async function askOnce() {
  const started = performance.now();
  const sketch = pad.sketch();
  let response;
  try {
    response = await post("/explain", pad.file());
  } catch {
    complain("The server does not answer. Is it still running?");
    return;
  }
  if (response.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    isStale = true;
    return;
  }
  const content = await response.json();
  if (pad.isEmpty) return; // cleared meanwhile
  if (!response.ok) {
    for (const view of views) view.clear();
    complain(content.error);
    return;
  }
  complain("");
  content.models.forEach((inside, i) => views[i].render(inside, sketch));
  byId("took").textContent = `Answered in ${Math.round(performance.now() - started)} ms.`;
  document.documentElement.dataset.answers = Number(document.documentElement.dataset.answers || 0) + 1;
}

const post = (path, body) =>
  fetch(path, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });

function complain(text) {
  const problem = byId("problem");
  problem.hidden = !text;
  if (problem.textContent !== text) problem.textContent = text;
}

function take(files) {
  const file = Array.from(files).find((item) => item.type.startsWith("image/"));
  if (file) pad.add(file);
  else if (files.length) complain("That is not a picture.");
}

function listen() {
  byId("undo").addEventListener("click", () => pad.undo());
  byId("clear").addEventListener("click", () => pad.clear());
  byId("file").addEventListener("change", (event) => {
    take(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (isUndo && !event.target.matches("input") && !pad.isEmpty) {
      pad.undo();
      event.preventDefault();
    }
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      document.body.classList.toggle("dropping", name === "dragover");
      if (name === "drop") take(event.dataTransfer.files);
    });
  }
  byId("collect").addEventListener("submit", collect);
}

async function collect(event) {
  event.preventDefault();
  const label = byId("label").value.trim();
  const response = await post(`/collect?label=${encodeURIComponent(label)}`, pad.file());
  const content = await response.json();
  byId("kept").textContent = response.ok ? `Kept as ${content.label}: ${content.file}` : content.error;
}

async function start() {
  const described = await (await fetch("/model")).json();
  for (const model of described.models) {
    const view = new ModelView(model, byId("model"));
    views.push(view);
    byId("models").append(view.card);
  }
  const first = described.models[0];
  byId("draw-title").textContent = `Draw: ${first.class_names.slice(0, 4).join(" or ")}`;
  pad.lightInk = first.preprocessing.polarity !== "dark_on_light";
  if (described.collects) {
    byId("collect").hidden = false;
    byId("labels").append(...first.class_names.map((name) => new Option(name, name)));
  }
  listen();
  connectTheme(byId("theme"), () => views.forEach((view) => view.draw()));
  document.documentElement.dataset.ready = "yes";
}

start();
