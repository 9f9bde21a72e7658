import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../parts/Parts";
import type { Recording } from "../parts/record";
import { clockTime } from "../parts/words";

const ENOUGH_SECONDS = 20;

/** Filming oneself: where the face should be, and something to read. */
export function Camera({ recording, onFile, onDrop }: { recording: Recording; onFile: (file: File) => void; onDrop: () => void }) {
  const picture = useRef<HTMLVideoElement>(null);
  const [since, setSince] = useState(0);
  useEffect(() => {
    if (picture.current) picture.current.srcObject = recording.stream;
    const start = performance.now();
    const timer = setInterval(() => setSince((performance.now() - start) / 1000), 100);
    return () => clearInterval(timer);
  }, [recording]);
  return (
    <div class="camera">
      <div class="camera-picture">
        <video ref={picture} autoplay muted playsInline aria-label="What the camera sees" />
        <svg viewBox="0 0 160 90" aria-hidden="true"><ellipse cx="80" cy="43" rx="22" ry="30" /></svg>
      </div>
      <p class="camera-text">
        Look into the camera with a calm face and read aloud: “The north wind and the sun were arguing about which of them was
        stronger, when a traveller came along, wrapped in a warm cloak. They agreed that the one who made him take it off
        should be called the stronger of the two.”
      </p>
      <div class="recorder-line">
        <span class="recording-dot" /> <output class="time">{clockTime(since)}</output>
        <span class="hint">{since < ENOUGH_SECONDS ? `about ${ENOUGH_SECONDS} s are good` : "that is enough"}</span>
        <span class="gap" />
        <button type="button" class="strong" onClick={() => void recording.stop().then(onFile)}>Stop and use it</button>
        <IconButton icon="trash" name="Throw it away" onClick={onDrop} />
      </div>
    </div>
  );
}
