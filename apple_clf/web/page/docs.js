// /openapi.json as a page.

import { connectTheme } from "./theme.js";

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function operation(path, method, described) {
  const section = element("section", "", element("h2", `${method.toUpperCase()} ${path}`), element("p", described.summary));
  section.append(element("pre", command(path, method, described)));
  const rows = (described.parameters || []).map((parameter) => [
    `${parameter.name}${parameter.required ? "" : " (optional)"}`, parameter.description || "",
  ]);
  if (described.requestBody) rows.push(["body", described.requestBody.description]);
  for (const [status, response] of Object.entries(described.responses)) {
    const schema = Object.values(response.content || {})[0]?.schema?.$ref?.split("/").pop();
    rows.push([status, `${response.description}${schema ? `: ${schema}` : ""}`]);
  }
  section.append(table(rows));
  return section;
}

function command(path, method, described) {
  const needed = (described.parameters || []).filter((parameter) => parameter.required);
  const query = needed.map((parameter) => `${parameter.name}=...`).join("&");
  const url = `${location.origin}${path}${query && `?${query}`}`;
  if (method === "get") return `curl ${url}`;
  return `curl --data-binary @picture.png -H 'Content-Type: image/png' '${url}'`;
}

function schemaSection(name, schema) {
  const rows = Object.entries(schema.properties || {}).map(([key, value]) => [key, `${kind(value)}${value.description ? `: ${value.description}` : ""}`]);
  return element("section", "", element("h2", name), element("p", schema.description), table(rows));
}

function kind(value) {
  if (value.$ref) return value.$ref.split("/").pop();
  if (value.anyOf) return value.anyOf.map(kind).join(" or ");
  if (value.type === "array") return `list of ${value.items ? kind(value.items) : "values"}`;
  return value.type || "anything";
}

function table(rows) {
  const body = element("tbody", "");
  for (const [name, text] of rows) {
    const head = element("th", "", element("code", name));
    head.scope = "row";
    body.append(element("tr", "", head, element("td", text)));
  }
  const scroll = element("div", "", element("table", "", body));
  scroll.className = "scroll";
  return scroll;
}

async function start() {
  const described = await (await fetch("/openapi.json")).json();
  const api = document.getElementById("api");
  api.append(element("p", described.info.description));
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, inner] of Object.entries(methods)) api.append(operation(path, method, inner));
  }
  for (const [name, schema] of Object.entries(described.components.schemas)) {
    if (!name.includes("ValidationError")) api.append(schemaSection(name, schema));
  }
  document.documentElement.dataset.ready = "yes";
}

connectTheme(document.getElementById("theme"), () => {});
start();
