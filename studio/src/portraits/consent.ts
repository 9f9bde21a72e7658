/** The statement that goes into a portrait, of the answers that a person gave. */

export interface Agreement {
  /** Who is shown, and agreed. */
  who: string;
  /** When: a day as YYYY-MM-DD. */
  when: string;
  /** How, in words; may be empty. */
  how: string;
}

export function statement({ who, when, how }: Agreement): string {
  const said = how.trim().replace(/\.+$/, "");
  return `${who.trim()} agreed on ${when}${said ? `: ${said}` : ""}.`;
}

/** What is missing, in the order of the form. */
export function missing({ who, when }: Agreement, today: string): string | null {
  if (!who.trim()) return "Say who is shown and has agreed.";
  if (!/^\d{4}-\d{2}-\d{2}$/.test(when)) return "Say on which day they agreed.";
  if (when > today) return "The day on which they agreed lies in the future.";
  return null;
}
