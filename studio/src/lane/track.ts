/** The emotion of a film as points in time, and its text in the syntax of `evp animate --emotion`. */

/** Label -> strength 0..1, together at most 1; what is left to 1 is neutral. "neutral" itself is not a key. */
export type Mixture = Readonly<Record<string, number>>;

export interface Point {
  /** Seconds from the start of the speech. */
  readonly time: number;
  readonly mixture: Mixture;
}

/** Points in the order of time; before the first and after the last the mixture stays what it is there. */
export type Track = readonly Point[];

export const NEUTRAL = "neutral";
/** In the place of a description: as heard in the speech itself. */
export const AUTO = "auto";

const POINT = /^(?:(?<time>\d+(?:\.\d*)?|\.\d+)\s*s?\s+)?(?<mixture>[^\s\d:+].*)$/u;
const PART = /^(?<label>[^\s:+]+)(?:\s*:\s*(?<strength>\d+(?:\.\d*)?|\.\d+))?$/u;

/**
 * The track that a text describes, or null when it cannot be read. Why not is for the server to say: it has the
 * sentences of the command line. `seconds` is the length of the speech, if there is one.
 */
export function parseTrack(text: string, labels: readonly string[], seconds: number | null = null): Track | null {
  const texts = text.split(",").map((part) => part.trim());
  const points: Point[] = [];
  for (const part of texts) {
    const found = POINT.exec(part)?.groups;
    if (!found || (found["time"] === undefined && texts.length > 1)) return null;
    const time = Number(found["time"] ?? 0);
    const last = points.at(-1);
    if ((last && time <= last.time) || (seconds !== null && time > seconds)) return null;
    const mixture = parseMixture(found["mixture"] ?? "", labels);
    if (!mixture) return null;
    points.push({ time, mixture });
  }
  return points;
}

function parseMixture(text: string, labels: readonly string[]): Mixture | null {
  const mixture: Record<string, number> = {};
  const seen = new Set<string>();
  let sum = 0;
  for (const part of text.split("+")) {
    const found = PART.exec(part.trim())?.groups;
    const label = found?.["label"];
    if (label === undefined || !labels.includes(label) || seen.has(label)) return null;
    seen.add(label);
    const strength = Number(found?.["strength"] ?? 1);
    sum += strength;
    if (strength > 1 || sum > 1 + 1e-9) return null;
    if (label !== NEUTRAL) mixture[label] = strength;
  }
  return mixture;
}

/** The text of a track. Hundredths are kept: a frame is 0.04 s, and nobody sees less than 0.01 of a strength. */
export function formatTrack(track: Track): string {
  const [only] = track;
  if (!only) return NEUTRAL;
  if (track.length === 1) return formatMixture(only.mixture);
  return track.map((point) => `${hundredths(point.time)} ${formatMixture(point.mixture)}`).join(", ");
}

export function formatMixture(mixture: Mixture): string {
  const parts = Object.entries(mixture).map(([label, strength]) => {
    const shown = hundredths(strength);
    return shown === "1" ? label : `${label}:${shown}`;
  });
  return parts.join("+") || NEUTRAL;
}

/** A number to hundredths, without zeros at its end. */
function hundredths(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** How strong all of a mixture is together. */
export function strengthOf(mixture: Mixture): number {
  return Object.values(mixture).reduce((sum, strength) => sum + strength, 0);
}

/** The label that most of a mixture is. */
export function mainLabel(mixture: Mixture): string {
  let best = NEUTRAL;
  let most = -1;
  for (const [label, strength] of Object.entries(mixture)) {
    if (strength > most) [best, most] = [label, strength];
  }
  return best;
}
