import { useEffect, useRef } from "preact/hooks";
import WaveSurfer from "wavesurfer.js";
import { soundOf } from "../api/client";
import type { Speech } from "../api/types";
import { speechPlayer } from "../film/transport";
import { playhead, playing, seek, view } from "../state";
import { dark } from "../theme";

/** The speech as a picture; it also plays it. */
export function Waveform({ speech }: { speech: Speech }) {
  const place = useRef<HTMLDivElement>(null);
  const waveform = useRef<WaveSurfer | null>(null);

  useEffect(() => {
    const container = place.current;
    if (!container) return;
    const made = WaveSurfer.create({
      container,
      url: soundOf(speech.id),
      peaks: [speech.peaks],
      duration: speech.seconds,
      height: "auto",
      barWidth: 2,
      barGap: 2,
      barRadius: 2,
      normalize: true,
      cursorWidth: 0,
      interact: false,
      hideScrollbar: true,
    });
    waveform.current = made;
    const audio = made.getMediaElement();
    if (audio) audio.preload = "auto";
    made.on("play", () => (playing.value = true));
    made.on("pause", () => (playing.value = false));
    made.on("audioprocess", (time) => made.isPlaying() && view.peek() === "face" && seek(time));
    made.on("finish", () => (playing.value = false));
    made.on("error", () => undefined); // a sound that cannot be played can still be directed
    speechPlayer.value = {
      playing: () => made.isPlaying(),
      play: (from) => {
        made.setTime(from);
        made.play().catch(() => (playing.value = false));
      },
      pause: () => made.pause(),
    };
    return () => {
      speechPlayer.value = null;
      playing.value = false;
      made.destroy();
    };
  }, [speech.id]);

  // A canvas knows no style sheet: it takes the colour that the style sheet gives to its place.
  useEffect(() => {
    if (!place.current) return;
    const color = getComputedStyle(place.current).color;
    waveform.current?.setOptions({ waveColor: color, progressColor: color });
  }, [speech.id, dark.value]);

  // Seeking while the speech plays moves the sound as well.
  useEffect(
    () =>
      playhead.subscribe((time) => {
        const made = waveform.current;
        if (made?.isPlaying() && Math.abs(made.getCurrentTime() - time) > 0.3) made.setTime(time);
      }),
    [speech.id],
  );

  return <div class="waveform" ref={place} aria-hidden="true" />;
}
