/** Edits of a track. All of them are pure: they return a new track, and the same one where nothing changes. */

import { NEUTRAL, strengthOf, type Mixture, type Point, type Track } from "./track";

/** One frame at 25 a second: two points are never closer. */
export const LEAST_GAP = 0.04;

/** A new point, and where it stands. Where a point is already, that one is meant. */
export function addPoint(track: Track, point: Point, seconds: number): { track: Track; index: number } {
  const time = tidy(clamp(point.time, 0, seconds));
  const near = track.findIndex((other) => Math.abs(other.time - time) < LEAST_GAP - 1e-9);
  if (near >= 0) return { track, index: near };
  const index = track.filter((other) => other.time < time).length;
  return { track: [...track.slice(0, index), { time, mixture: rounded(point.mixture) }, ...track.slice(index)], index };
}

export function removePoint(track: Track, index: number): Track {
  return track.filter((_, number) => number !== index);
}

/** Moved in time as far as the neighbours allow: points do not change places. */
export function movePoint(track: Track, index: number, time: number, seconds: number): Track {
  const point = track[index];
  if (!point) return track;
  const from = index > 0 ? (track[index - 1] as Point).time + LEAST_GAP : 0;
  const to = index < track.length - 1 ? (track[index + 1] as Point).time - LEAST_GAP : seconds;
  if (from > to + 1e-9) return track;
  return replace(track, index, { ...point, time: clamp(tidy(time), tidyUp(from), tidyDown(to)) });
}

/**
 * All of a point's mixture made as strong together as `strength`, in the proportions that it has. A neutral point
 * becomes `label`.
 */
export function strengthenPoint(track: Track, index: number, strength: number, label: string): Track {
  const point = track[index];
  if (!point) return track;
  const wanted = clamp(strength, 0, 1);
  const labels = Object.keys(point.mixture);
  if (labels.length === 0) {
    return label === NEUTRAL || wanted === 0 ? track : replace(track, index, { ...point, mixture: { [label]: tidy(wanted) } });
  }
  const sum = strengthOf(point.mixture);
  const mixture = Object.fromEntries(
    Object.entries(point.mixture).map(([name, part]) => [name, sum > 0 ? (part / sum) * wanted : wanted / labels.length]),
  );
  return replace(track, index, { ...point, mixture: rounded(mixture) });
}

/** A point that is one label only, as strong as it was; one that was neutral gets full strength. */
export function labelPoint(track: Track, index: number, label: string): Track {
  const point = track[index];
  if (!point) return track;
  const mixture: Mixture = label === NEUTRAL ? {} : { [label]: tidy(strengthOf(point.mixture)) || 1 };
  return replace(track, index, { ...point, mixture });
}

/** A label added to a point's mixture in equal parts with the others, or taken out; the whole stays as strong. */
export function blendPoint(track: Track, index: number, label: string): Track {
  const point = track[index];
  if (!point) return track;
  const labels = Object.keys(point.mixture);
  if (label === NEUTRAL || labels.length === 0) return labelPoint(track, index, label);
  const sum = strengthOf(point.mixture);
  if (labels.includes(label)) {
    const rest = Object.fromEntries(Object.entries(point.mixture).filter(([name]) => name !== label));
    return strengthenPoint(replace(track, index, { ...point, mixture: rest }), index, sum, NEUTRAL);
  }
  const share = sum / (labels.length + 1);
  const shrunk = Object.entries(point.mixture).map(([name, part]) => [name, sum > 0 ? part - (part / sum) * share : 0]);
  return replace(track, index, { ...point, mixture: rounded({ ...Object.fromEntries(shrunk), [label]: share }) });
}

/** One part of a mixture set; where all would be more than 1 together, the others give way in proportion. */
export function partOfPoint(track: Track, index: number, label: string, strength: number): Track {
  const point = track[index];
  if (!point || !(label in point.mixture)) return track;
  const wanted = clamp(strength, 0, 1);
  const others = strengthOf(point.mixture) - (point.mixture[label] ?? 0);
  const shrink = others + wanted > 1 && others > 0 ? (1 - wanted) / others : 1;
  const mixture = Object.fromEntries(
    Object.entries(point.mixture).map(([name, part]) => [name, name === label ? wanted : part * shrink]),
  );
  return replace(track, index, { ...point, mixture: rounded(mixture) });
}

/** What of a track lies in a speech of another length: points behind its end are left out. */
export function fitTrack(track: Track, seconds: number): Track {
  const kept = track.filter((point) => point.time <= seconds);
  return kept.length === track.length ? track : kept;
}

function replace(track: Track, index: number, point: Point): Track {
  return track.map((other, number) => (number === index ? point : other));
}

/** Hundredths that are as much together as before, and never more than 1. */
function rounded(mixture: Mixture): Mixture {
  const entries = Object.entries(mixture).map(([label, part]): [string, number] => [label, tidy(part)]);
  const whole = tidy(Math.min(strengthOf(mixture), 1));
  const last = entries.at(-1);
  if (last) last[1] = tidy(Math.max(0, last[1] + whole - entries.reduce((sum, [, part]) => sum + part, 0)));
  return Object.fromEntries(entries);
}

const tidy = (value: number): number => Math.round(value * 100) / 100;
const tidyUp = (value: number): number => (Math.ceil(value * 100 - 1e-6) + 0) / 100;
const tidyDown = (value: number): number => Math.floor(value * 100 + 1e-6) / 100;

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
