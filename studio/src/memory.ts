/** What a reload of the page finds again. A browser may refuse to keep anything; then nothing is found. */

type Name = "portrait" | "speech" | "lane" | "watched" | "theme" | "beside" | "near";

export function recall(name: Name): string | null {
  try {
    return localStorage.getItem(`evp.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: Name, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`evp.${name}`);
    else localStorage.setItem(`evp.${name}`, value);
  } catch {
    // nothing is kept
  }
}
