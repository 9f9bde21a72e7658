/** Playing what the stage shows: the film, or the speech with the face following roughly. */

import { effect, signal } from "@preact/signals";
import { playhead, playing, seconds, speech, view, watched } from "../state";

interface Player {
  playing: () => boolean;
  play: (from: number) => void;
  pause: () => void;
}

export const speechPlayer = signal<Player | null>(null);
export const filmPlayer = signal<Player | null>(null);

function current(): Player | null {
  return view.peek() === "film" && watched.peek() ? filmPlayer.peek() : speechPlayer.peek();
}

export function togglePlay(): void {
  const player = current();
  if (!player) return;
  if (player.playing()) return player.pause();
  const ended = speech.peek() !== null && playhead.peek() >= seconds.peek() - 0.05;
  player.play(ended ? 0 : playhead.peek());
}

export function pauseAll(): void {
  speechPlayer.peek()?.pause();
  filmPlayer.peek()?.pause();
}

// What is not on the stage is not heard.
effect(() => {
  if (view.value === "film") speechPlayer.peek()?.pause();
  else filmPlayer.peek()?.pause();
});

export { playing };
