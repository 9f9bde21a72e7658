/** What a track does over time, as the face will do it: the same easing as the server's `EmotionTrack.at`. */

import { NEUTRAL, type Mixture, type Track } from "./track";

/** Standard deviation of the easing, seconds. */
const EASE = 0.2;
const STEPS = Array.from({ length: 13 }, (_, number) => (number - 6) / 2);
const WEIGHTS = STEPS.map((step) => Math.exp(-0.5 * step * step));
const WHOLE = WEIGHTS.reduce((sum, weight) => sum + weight, 0);

/** How much of every label there is at a moment, eased; an empty track is neutral. */
export function mixtureAt(track: Track, time: number): Mixture {
  const mixture: Record<string, number> = {};
  STEPS.forEach((step, number) => {
    for (const [label, part] of Object.entries(glide(track, time + step * EASE))) {
      mixture[label] = (mixture[label] ?? 0) + (part * (WEIGHTS[number] as number)) / WHOLE;
    }
  });
  return mixture;
}

/** On the straight line from one point to the next, slowly at both ends. */
function glide(track: Track, time: number): Mixture {
  const after = track.findIndex((point) => point.time > time);
  if (after <= 0) return (after === 0 ? track[0] : track.at(-1))?.mixture ?? {};
  const [one, two] = [track[after - 1]!, track[after]!];
  const way = (time - one.time) / (two.time - one.time);
  const part = way * way * (3 - 2 * way);
  const mixture: Record<string, number> = {};
  for (const [label, share] of Object.entries(one.mixture)) mixture[label] = (1 - part) * share;
  for (const [label, share] of Object.entries(two.mixture)) mixture[label] = (mixture[label] ?? 0) + part * share;
  return mixture;
}

/** One label's band of the picture of a lane: its lower and upper edge at every sample, 0..1. */
export interface Band {
  readonly label: string;
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/** The bands of all labels that occur, one on top of the other, in the order of `labels`. */
export function bands(track: Track, labels: readonly string[], seconds: number, samples: number): Band[] {
  const mixtures = Array.from({ length: samples + 1 }, (_, number) => mixtureAt(track, (number / samples) * seconds));
  const used = labels.filter((label) => label !== NEUTRAL && track.some((point) => (point.mixture[label] ?? 0) > 0));
  let lower: number[] = mixtures.map(() => 0);
  return used.map((label) => {
    const upper = lower.map((edge, number) => edge + (mixtures[number]?.[label] ?? 0));
    const band = { label, lower, upper };
    lower = upper;
    return band;
  });
}
