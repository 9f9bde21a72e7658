import { computed, effect, signal } from "@preact/signals";
import { recall, remember } from "./memory";

export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const night = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(night.matches);
night.addEventListener("change", () => (systemIsDark.value = night.matches));

export const theme = signal<Theme>(THEMES.find((one) => one === recall("theme")) ?? "system");
export const dark = computed(() => (theme.value === "system" ? systemIsDark.value : theme.value === "dark"));

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] as Theme;
}

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  remember("theme", theme.value);
});
