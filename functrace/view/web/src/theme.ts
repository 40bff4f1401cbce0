/** The colour theme: that of the system, or the one chosen on the page. */
import { useEffect, useState } from "preact/hooks";

export type Theme = "system" | "light" | "dark";
const KEY = "functrace-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system"; // storage is blocked
  }
}

export function applyTheme(theme = chosenTheme()): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // the choice is then that of this page alone
  }
  const isDark = theme === "dark" || (theme === "system" && dark.matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  window.dispatchEvent(new Event("themechange"));
}

/** Return a number that changes with the theme, so that canvases are drawn anew. */
export function useThemeRevision(): number {
  const [revision, setRevision] = useState(0);
  useEffect(() => {
    const update = () => setRevision((number) => number + 1);
    window.addEventListener("themechange", update);
    return () => window.removeEventListener("themechange", update);
  }, []);
  return revision;
}

dark.addEventListener("change", () => applyTheme());
