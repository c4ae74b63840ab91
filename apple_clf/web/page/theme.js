// Light or dark: as the system has it until it is switched. Nothing is kept.

const system = matchMedia("(prefers-color-scheme: dark)");

const isDark = () =>
  (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";

export function connectTheme(button, changed) {
  const tell = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    changed();
  };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}
