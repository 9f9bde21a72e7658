/** Keys of the film screen, wherever the focus is, except in fields of text. */

import { effect, signal } from "@preact/signals";
import { addAtPlayhead, focusSelected } from "../lane/Lane";
import {
  hear, labels, playhead, ready, redoChange, render, seek, select, selected, speech, track, undoChange, brush, change, selectedPoint, removeSelected, repeatSelected,
} from "../state";
import { blendPoint, labelPoint } from "../lane/edit";
import { NEUTRAL } from "../lane/track";
import { togglePlay } from "./transport";

export const keysShown = signal(false);

export const KEYS: readonly (readonly [string, string])[] = [
  ["Space", "Play or pause"],
  ["← →", "On a point: move it by a frame; on the waveform: move the moment"],
  ["↑ ↓", "On a point: stronger, weaker"],
  ["Shift + arrows", "The same in large steps"],
  ["A", "Add a point at the moment"],
  ["[ ]", "Previous, next point"],
  ["1 … 9", "Give the point this emotion, in the order of the faces"],
  ["Shift + 1 … 9", "Mix this emotion in, or take it out"],
  ["D", "Hold: the same point once more"],
  ["Delete", "Remove the point"],
  ["Escape", "While dragging: put it back; else: choose no point"],
  ["Ctrl + Z", "Undo"],
  ["Ctrl + Shift + Z", "Redo"],
  ["H", "Hear the emotion from the voice"],
  ["R", "Render the film"],
  ["?", "Show these keys"],
];

const TEXT = "input:not([type=range]):not([type=radio]):not([type=checkbox]):not([type=file]), textarea, select";

export function listenForKeys(): () => void {
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

function press(event: KeyboardEvent): void {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.defaultPrevented || target.closest(TEXT) || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey) {
    const key = event.key.toLowerCase();
    if (event.altKey || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    return key === "y" || event.shiftKey ? redoChange() : undoChange();
  }
  if (event.altKey) return;
  if (act(event, target)) event.preventDefault();
}

function act(event: KeyboardEvent, target: Element): boolean {
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (digit !== undefined) return emotion(Number(digit) - 1, event.shiftKey);
  switch (event.key) {
    case " ":
      if (target.closest("button:not(.handle), a, input, video, summary")) return false;
      togglePlay();
      return true;
    case "?":
      keysShown.value = true;
      return true;
    case "Escape":
      select(null);
      return true;
    case "[":
    case "]":
      return nextPoint(event.key === "]");
    case "Delete":
    case "Backspace":
      if (selected.peek() === null) return false;
      removeSelected();
      focusSelected();
      return true;
  }
  if (!speech.peek()) return false;
  switch (event.key.toLowerCase()) {
    case "a":
      addAtPlayhead();
      return true;
    case "d":
      repeatSelected();
      focusSelected();
      return true;
    case "h":
      void hear();
      return true;
    case "r":
      if (ready.peek()) void render();
      return true;
  }
  return false;
}

function emotion(number: number, blend: boolean): boolean {
  const label = labels.peek()[number];
  if (label === undefined) return false;
  const index = selected.peek();
  if (label !== NEUTRAL) brush.value = label;
  if (index !== null && selectedPoint.peek()) change((blend ? blendPoint : labelPoint)(track.peek(), index, label));
  return true;
}

function nextPoint(forward: boolean): boolean {
  const points = track.peek();
  if (points.length === 0) return false;
  const now = selected.peek();
  let to: number;
  if (now !== null) to = Math.min(Math.max(now + (forward ? 1 : -1), 0), points.length - 1);
  else if (forward) to = points.findIndex((point) => point.time >= playhead.peek());
  else to = points.findLastIndex((point) => point.time <= playhead.peek());
  if (to < 0) to = forward ? points.length - 1 : 0;
  select(to);
  seek(points[to]?.time ?? 0);
  focusSelected();
  return true;
}

// Without a speech there are no points to choose.
effect(() => {
  if (!speech.value) selected.value = null;
});
