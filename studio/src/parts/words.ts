/** Numbers and moments in words. */

/** 75.3 -> "1:15.3" */
export function clockTime(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = ((tenths % 600) / 10).toFixed(1);
  return `${minutes}:${rest.padStart(4, "0")}`;
}

/** 0.55 -> "55 %" */
export function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** 75 -> "1 min 15 s"; less than a second is not told. */
export function span(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** 209715200 -> "200 MB" */
export function size(bytes: number): string {
  return bytes >= 1 << 30 ? `${(bytes / (1 << 30)).toFixed(0)} GB` : `${(bytes / (1 << 20)).toFixed(0)} MB`;
}

export function moment(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return date.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

export function day(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/** 1 -> "next" */
export function ordinal(place: number): string {
  return ["next", "second", "third", "fourth", "fifth"][place - 1] ?? `${place}th`;
}

export function title(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1);
}
