import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import { Complaint, IconButton } from "../parts/Parts";
import { clockTime } from "../parts/words";
import { togglePlay } from "../film/transport";
import {
  canRedo, canUndo, hear, hearing, laneProblem, playhead, playing, redoChange, seconds, seek, speech, track, undoChange, change, select,
} from "../state";
import { Lane, addAtPlayhead } from "./Lane";
import { Waveform } from "./Waveform";

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120];
const TICK_PIXELS = 64;
const MOST_ZOOM = 16;

/** The speech and, in the same time, the emotion: the waveform above the lane, one moment through both. */
export function Timeline() {
  const said = speech.value;
  const [zoom, setZoom] = useState(1);
  const [width, setWidth] = useState(0);
  const scroll = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);

  useEffect(() => setZoom(1), [said?.id]);
  useEffect(() => {
    const element = inner.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [said?.id]);
  // The moment stays in sight.
  useEffect(() => {
    const [box, place] = [scroll.current, inner.current];
    if (!box || !place || zoom === 1) return;
    const x = (playhead.value / seconds.value) * place.clientWidth;
    if (x < box.scrollLeft + 24 || x > box.scrollLeft + box.clientWidth - 24) box.scrollLeft = x - box.clientWidth / 2;
  }, [zoom, playhead.value]);

  if (!said) return null;
  return (
    <div class="timeline">
      <div class="tools" role="toolbar" aria-label="Emotion lane">
        <button type="button" class="play" onClick={togglePlay} aria-label={playing.value ? "Pause" : "Play"} title="Play or pause (Space)">
          <Icon name={playing.value ? "pause" : "play"} />
        </button>
        <output class="time" aria-label="Moment">
          {clockTime(playhead.value)} <span>/ {clockTime(said.seconds)}</span>
        </output>
        <span class="gap" />
        <IconButton icon="undo" name="Undo" hint="Ctrl+Z" disabled={!canUndo.value} onClick={undoChange} />
        <IconButton icon="redo" name="Redo" hint="Ctrl+Shift+Z" disabled={!canRedo.value} onClick={redoChange} />
        <button type="button" class="quiet lower" onClick={() => void hear()} disabled={hearing.value} title="Fill the lane with the emotion in the recording (H)">
          <Icon name="ear" />
          {hearing.value ? "Listening…" : "Hear it from the voice"}
        </button>
        <IconButton icon="plus" name="Add a point at this moment" hint="A" class="lower" onClick={addAtPlayhead} />
        <IconButton icon="trash" name="Clear the lane" class="lower" disabled={track.value.length === 0} onClick={() => { select(null); change([]); }} />
        <span class="zoom">
          <IconButton icon="minus" name="Show more of the speech" disabled={zoom === 1} onClick={() => setZoom(Math.max(1, zoom / 2))} />
          <span aria-hidden="true">{zoom}×</span>
          <IconButton icon="plus" name="Show it in more detail" disabled={zoom === MOST_ZOOM} onClick={() => setZoom(Math.min(MOST_ZOOM, zoom * 2))} />
        </span>
      </div>
      <Complaint text={laneProblem.value} onClose={() => (laneProblem.value = null)} />
      <div class="timeline-scroll" ref={scroll}>
        <div class="timeline-pad" style={{ width: `${zoom * 100}%` }}>
          <div class="timeline-inner" ref={inner}>
            <Moment>
              <Waveform speech={said} key={said.id} />
            </Moment>
            <Lane />
            <Axis width={width} />
            <div class="playhead" style={{ left: `${(playhead.value / said.seconds) * 100}%` }} />
          </div>
        </div>
      </div>
    </div>
  );
}

/** The slider of the moment that is shown. */
function Moment({ children }: { children: preact.ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const go = (event: PointerEvent): void => {
    const box = place.current?.getBoundingClientRect();
    if (box) seek(((event.clientX - box.left) / box.width) * seconds.peek());
  };
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (by !== undefined) seek(playhead.peek() + by * (event.shiftKey ? 1 : 0.04));
    else if (event.key === "Home") seek(0);
    else if (event.key === "End") seek(seconds.peek());
    else if (event.key === "Enter") addAtPlayhead();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      id="moment"
      class="moment"
      ref={place}
      role="slider"
      tabIndex={0}
      aria-label="Moment of the speech"
      aria-valuemin={0}
      aria-valuemax={Math.round(seconds.value * 100) / 100}
      aria-valuenow={Math.round(playhead.value * 100) / 100}
      aria-valuetext={`${clockTime(playhead.value)} of ${clockTime(seconds.value)}`}
      onKeyDown={step}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        place.current?.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={(event) => place.current?.hasPointerCapture(event.pointerId) && go(event)}
    >
      {children}
    </div>
  );
}

function Axis({ width }: { width: number }) {
  const most = Math.max(1, width / TICK_PIXELS);
  const step = STEPS.find((one) => seconds.value / one <= most) ?? 300;
  const ticks = Array.from({ length: Math.floor(seconds.value / step + 1e-9) + 1 }, (_, number) => number * step);
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick} style={{ left: `${(tick / seconds.value) * 100}%` }}>
          {step < 1 ? tick.toFixed(1) : tick < 60 ? tick : `${Math.floor(tick / 60)}:${String(tick % 60).padStart(2, "0")}`}
        </span>
      ))}
    </div>
  );
}
