import { useRef, useState } from "preact/hooks";
import { title } from "../parts/words";
import { announce, brush, change, draft, faces, labels, seconds, seek, select, selected, selectedPoint, speech, track, tried, view } from "../state";
import { addPoint, blendPoint, labelPoint } from "./edit";
import { colorOf } from "./colors";
import { plot, positionOn } from "./plot";
import { NEUTRAL, type Track } from "./track";

/** This portrait in every emotion: a press gives it to the chosen point, or to the next one; a drag sets a point. */
export function Faces() {
  const [blending, setBlending] = useState(false);
  const point = selectedPoint.value;
  const next = speech.value ? brush.value : tried.value;
  const held = point ? Object.keys(point.mixture) : [next];
  const active = held.length ? held : [NEUTRAL];
  const choose = (label: string, blend: boolean): void => {
    const index = selected.peek();
    if (label !== NEUTRAL) brush.value = label;
    tried.value = label;
    view.value = "face";
    if (index === null || !selectedPoint.peek()) return announce(`${title(label)} for the next point`);
    change((blend ? blendPoint : labelPoint)(track.peek(), index, label));
  };
  return (
    <div class="faces">
      <div class="faces-header">
        <h3 id="faces-title">{point ? "Emotion of this point" : speech.value ? "Emotion of the next point" : "Faces"}</h3>
        {point && (
          <label class="switch">
            <input type="checkbox" checked={blending} onChange={(event) => setBlending(event.currentTarget.checked)} />
            <span>Mix</span>
          </label>
        )}
      </div>
      <div class="faces-row" role="group" aria-labelledby="faces-title">
        {labels.value.map((label, number) => (
          <Face
            key={label}
            label={label}
            digit={number + 1}
            active={active.includes(label)}
            onChoose={(shift) => choose(label, shift || (blending && point !== null))}
          />
        ))}
      </div>
    </div>
  );
}

interface FaceProps {
  label: string;
  digit: number;
  active: boolean;
  onChoose: (shift: boolean) => void;
}

const DRAG_PIXELS = 6;

function Face({ label, digit, active, onChoose }: FaceProps) {
  const [ghost, setGhost] = useState<{ x: number; y: number } | null>(null);
  const dragged = useRef(false);
  const picture = faces.value[label];
  const portrayed = picture === undefined ? <span class="initial">{label.charAt(0)}</span> : <img src={picture} alt="" draggable={false} />;

  const press = (event: PointerEvent): void => {
    dragged.current = false;
    if (event.pointerType === "touch" || event.button !== 0 || !speech.peek()) return;
    const start = { x: event.clientX, y: event.clientY };
    const before = track.peek();
    let made: { track: Track; index: number } | null = null;
    const move = (to: PointerEvent): void => {
      dragged.current ||= Math.hypot(to.clientX - start.x, to.clientY - start.y) > DRAG_PIXELS;
      if (!dragged.current) return;
      const at = positionOn(plot.current, to);
      const mixture = label === NEUTRAL || !at ? {} : { [label]: Math.max(at.strength, 0.05) };
      made = at && addPoint(before, { time: at.part * seconds.peek(), mixture }, seconds.peek());
      draft.value = made?.track ?? null;
      setGhost(made ? null : { x: to.clientX, y: to.clientY });
      const time = made?.track[made.index]?.time;
      if (time === undefined) return;
      view.value = "face";
      seek(time);
    };
    const up = (): void => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
      setGhost(null);
      draft.value = null;
      if (!made || made.track === before) return;
      if (label !== NEUTRAL) brush.value = label;
      change(made.track);
      select(made.index);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  };

  return (
    <>
      <button
        type="button"
        class="face"
        aria-pressed={active}
        aria-label={label}
        title={digit < 10 ? `${title(label)} (${digit}; with Shift it is mixed in)` : title(label)}
        style={{ color: colorOf(label) }}
        onPointerDown={press}
        onClick={(event) => {
          if (!dragged.current) onChoose(event.shiftKey);
          dragged.current = false;
        }}
      >
        {portrayed}
        <span class="face-name"><span>{label}</span></span>
      </button>
      {ghost && (
        <span class="ghost" style={{ left: `${ghost.x}px`, top: `${ghost.y}px`, color: colorOf(label) }}>
          {portrayed}
        </span>
      )}
    </>
  );
}
