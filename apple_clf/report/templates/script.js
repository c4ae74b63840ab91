"use strict";
(function () {
  const byId = (id) => document.getElementById(id);

  const theme = byId("theme");
  const dark = () =>
    (document.documentElement.dataset.theme ||
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const tell = () => theme.setAttribute("aria-pressed", String(dark()));
  theme.hidden = false;
  tell();
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    tell();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);

  const weights = byId("weights-slider");
  if (weights) {
    const sheets = Array.from(document.querySelectorAll("#weights img"));
    const show = () => {
      sheets.forEach((sheet, i) => { sheet.hidden = i !== Number(weights.value); });
      const epoch = sheets[weights.value].dataset.epoch;
      byId("weights-epoch").textContent = epoch;
      weights.setAttribute("aria-valuetext", "epoch " + epoch);
    };
    byId("weights-control").hidden = sheets.length < 2;
    weights.addEventListener("input", show);
    show();
  }

  const threshold = byId("threshold-slider");
  if (threshold) {
    const table = JSON.parse(byId("threshold-table").textContent);
    const probe = byId("probe");
    const [left, right] = [Number(probe.dataset.left), Number(probe.dataset.right)];
    const show = () => {
      const place = Number(threshold.value);
      byId("threshold-value").textContent = (place / 100).toFixed(2);
      threshold.setAttribute("aria-valuetext", (place / 100).toFixed(2));
      document.querySelectorAll("#threshold td[data-name]").forEach((cell, i) => {
        const value = table[cell.dataset.name][place];
        cell.textContent =
          value === null ? "–" : i < 4 ? value.toFixed(3) : value.toLocaleString("en-US");
      });
      const x = left + (place / 100) * (right - left);
      probe.setAttribute("transform", "translate(" + x + " 0)");
    };
    byId("threshold-control").hidden = false;
    threshold.addEventListener("input", () => { probe.classList.add("moved"); show(); });
    show();
  }

  const links = new Map(
    Array.from(document.querySelectorAll("nav a"), (link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id).setAttribute("aria-current", "true");
    });
  }, { rootMargin: "-20% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));
})();
