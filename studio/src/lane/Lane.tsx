import { percent, clockTime } from "../parts/words";
import {
  addAt, announce, brush, change, draft, faces, labels, playhead, removeSelected, repeatSelected, seconds, seek, select,
  selected, settleChange, track, view,
} from "../state";
import { addPoint, clamp, labelPoint, blendPoint, movePoint, strengthenPoint } from "./edit";
import { bands } from "./curve";
import { colorOf } from "./colors";
import { formatMixture, mainLabel, strengthOf, NEUTRAL, type Point, type Track } from "./track";
import { plot, positionOn } from "./plot";

/** The points of the emotion over time: above each other how strong, beside each other when. */
export function Lane() {
  return (
    <div class="lane" id="lane" role="group" aria-label="Emotion over time" aria-describedby="lane-help" onPointerDown={press} onClick={tap}>
      <p id="lane-help" class="unseen">
        Every point is a button: arrow keys move it in time and strength, digits choose its emotion, Delete removes it. A
        adds a point at the moment shown.
      </p>
      <div class="plot" ref={(element) => void (plot.current = element)}>
        <Ribbon />
        {track.value.map((point, index) => (
          <Handle key={index} point={point} index={index} />
        ))}
      </div>
      {track.value.length === 0 && (
        <p class="lane-empty">
          <span>
            Neutral all the way. <strong>Click here</strong> to set a point of emotion, or drag a face into the lane.
          </span>
        </p>
      )}
    </div>
  );
}

/** How much there is of every label, as the face will show it. */
function Ribbon() {
  const samples = Math.round(clamp(seconds.value * 12, 120, 900));
  return (
    <svg class="ribbon" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
      {bands(track.value, labels.value, seconds.value, samples).map(({ label, lower, upper }) => {
        const place = (edge: number, number: number): string => `${((number / samples) * 1000).toFixed(2)} ${(100 - edge * 100).toFixed(2)}`;
        const there = upper.map(place);
        const present = upper.map((edge, number) => edge - (lower[number] ?? 0) > 0.01);
        const back = lower.map(place).reverse();
        return (
          <g key={label} style={{ color: colorOf(label) }}>
            <path class="band" d={`M${there.join("L")}L${back.join("L")}Z`} />
            <path class="edge" d={there.map((at, number) => (present[number] ? `${present[number - 1] ? "L" : "M"}${at}` : "")).join("")} />
          </g>
        );
      })}
    </svg>
  );
}

function Handle({ point, index }: { point: Point; index: number }) {
  const label = mainLabel(point.mixture);
  const strength = strengthOf(point.mixture);
  const chosen = selected.value === index;
  const face = faces.value[label];
  const says = `${strength === 0 ? NEUTRAL : formatMixture(point.mixture).replaceAll("+", " and ").replaceAll(":", " ")} at ${clockTime(point.time)}`;
  return (
    <>
      <span class="stem" style={{ left: `${(point.time / seconds.value) * 100}%`, height: `${strength * 100}%`, color: colorOf(label) }} />
      <button
        type="button"
        id={`point-${index}`}
        class="handle"
        aria-label={says}
        aria-pressed={chosen}
        style={{ left: `${(point.time / seconds.value) * 100}%`, bottom: `${strength * 100}%`, color: colorOf(label) }}
        onPointerDown={(event) => grab(event, index)}
        onClick={(event) => {
          event.stopPropagation();
          select(index);
        }}
        onFocus={() => selected.peek() !== index && select(index)}
        onKeyDown={(event) => step(event, index)}
        onKeyUp={settleChange}
      >
        {face === undefined ? <span class="initial">{label.charAt(0)}</span> : <img src={face} alt="" draggable={false} />}
        <span class="tag" aria-hidden="true">
          {strength === 0 ? NEUTRAL : Object.entries(point.mixture).map(([name, part]) => `${name} ${percent(part)}`).join(" + ")}
          <small>{clockTime(point.time)}</small>
        </span>
      </button>
    </>
  );
}

/** With the mouse or a pen a point is set and dragged in one go. */
function press(event: PointerEvent): void {
  if (event.pointerType === "touch" || event.button !== 0 || onHandle(event)) return;
  const at = positionOn(plot.current, event);
  if (!at) return;
  event.preventDefault();
  const before = track.peek();
  const mixture = brush.peek() === NEUTRAL ? {} : { [brush.peek()]: Math.max(at.strength, 0.05) };
  const added = addPoint(before, { time: at.part * seconds.peek(), mixture }, seconds.peek());
  hold(event, added.track, added.index, added.track !== before);
}

/** With a finger, a tap sets a point, and a swipe scrolls the page. */
function tap(event: MouseEvent): void {
  if ((event as PointerEvent).pointerType !== "touch" || onHandle(event)) return;
  const at = positionOn(plot.current, event);
  if (at) addAt(at.part * seconds.peek(), Math.max(at.strength, 0.05));
}

function onHandle(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(".handle") !== null;
}

function grab(event: PointerEvent, index: number): void {
  if (event.button !== 0) return;
  event.stopPropagation();
  hold(event, track.peek(), index, false);
}

const SHAKE_PIXELS = 3;

/** Drags a point until it is let go; Escape puts it back. Shift keeps to one direction. */
function hold(event: PointerEvent, from: Track, index: number, isNew: boolean): void {
  const point = from[index];
  const area = plot.current;
  if (!point || !area) return;
  if (isNew) draft.value = from;
  select(index);
  const start = { x: event.clientX, y: event.clientY };
  const before = { time: point.time, strength: strengthOf(point.mixture) };
  const box = area.getBoundingClientRect();
  let moved = false;
  const move = (to: PointerEvent): void => {
    let [x, y] = [to.clientX - start.x, to.clientY - start.y];
    moved ||= Math.hypot(x, y) > SHAKE_PIXELS;
    if (!moved) return;
    if (to.shiftKey) [x, y] = Math.abs(x) > Math.abs(y) ? [x, 0] : [0, y];
    let next = movePoint(from, index, before.time + (x / box.width) * seconds.peek(), seconds.peek());
    if (y !== 0) next = strengthenPoint(next, index, before.strength - y / box.height, brush.peek());
    draft.value = next;
    view.value = "face";
    seek(next[index]?.time ?? 0);
  };
  const end = (keep: boolean): void => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
    removeEventListener("pointercancel", lost);
    removeEventListener("keydown", escape, true);
    const made = draft.peek();
    if (keep && made) change(made);
    else draft.value = null;
    if (keep) document.getElementById(`point-${index}`)?.focus({ preventScroll: true });
    else select(isNew ? null : index);
  };
  const up = (): void => end(true);
  const lost = (): void => end(false);
  const escape = (key: KeyboardEvent): void => {
    if (key.key !== "Escape") return;
    key.preventDefault();
    key.stopPropagation();
    end(false);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  addEventListener("pointercancel", lost);
  addEventListener("keydown", escape, true);
}

const FRAME = 0.04;

function step(event: KeyboardEvent, index: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const point = track.peek()[index];
  if (!point) return;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const time = event.shiftKey ? 0.5 : FRAME;
  const strength = event.shiftKey ? 0.25 : 0.05;
  const move = (by: number): Track => movePoint(track.peek(), index, point.time + by, seconds.peek());
  const strengthen = (by: number): Track => strengthenPoint(track.peek(), index, strengthOf(point.mixture) + by, brush.peek());
  const moves: Record<string, () => Track> = {
    ArrowLeft: () => move(-time),
    ArrowRight: () => move(time),
    ArrowUp: () => strengthen(strength),
    ArrowDown: () => strengthen(-strength),
  };
  const moving = moves[event.key];
  if (moving) change(moving(), `${event.key}-${index}`);
  else if (event.key === "Delete" || event.key === "Backspace") {
    removeSelected();
    focusSelected();
  } else if (event.key.toLowerCase() === "d") {
    repeatSelected();
    focusSelected();
  } else if (digit !== undefined) {
    const label = labels.peek()[Number(digit) - 1];
    if (label === undefined) return;
    change((event.shiftKey ? blendPoint : labelPoint)(track.peek(), index, label));
  } else return;
  event.preventDefault();
  event.stopPropagation();
  select(selected.peek());
  const now = selected.peek() === null ? undefined : track.peek()[selected.peek() ?? 0];
  if (now && (moving || digit !== undefined)) announce(`${formatMixture(now.mixture)} at ${clockTime(now.time)}`);
}

/** The keyboard goes on where the chosen point is now; without one, at the moment. */
export function focusSelected(): void {
  requestAnimationFrame(() => {
    const index = selected.peek();
    document.getElementById(index === null ? "moment" : `point-${index}`)?.focus({ preventScroll: true });
  });
}

/** Where a new point goes by the keyboard: at the moment that is shown, with the strength that the brush has. */
export function addAtPlayhead(): void {
  addAt(playhead.peek(), 0.8);
  focusSelected();
}
