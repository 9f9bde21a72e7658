import { IconButton } from "../parts/Parts";
import { percent } from "../parts/words";
import { brush, change, removeSelected, repeatSelected, seconds, select, selected, selectedPoint, settleChange, track } from "../state";
import { blendPoint, movePoint, partOfPoint, strengthenPoint } from "./edit";
import { colorOf } from "./colors";
import { focusSelected } from "./Lane";
import { strengthOf } from "./track";

/** The chosen point in numbers: when, and how much of what. */
export function PointEditor() {
  const point = selectedPoint.value;
  const index = selected.value;
  if (!point || index === null) {
    return <p class="hint">{track.value.length ? "Choose a point to change it in numbers." : "Points that you set can be changed here in numbers."}</p>;
  }
  const parts = Object.entries(point.mixture);
  return (
    <div class="point-editor" role="group" aria-label="The chosen point">
      <label class="field">
        <span>Time, s</span>
        <input
          type="number"
          step="0.04"
          min="0"
          max={seconds.value}
          value={point.time}
          onChange={(event) => {
            change(movePoint(track.peek(), index, Number(event.currentTarget.value), seconds.peek()));
            select(index);
            event.currentTarget.value = String(selectedPoint.peek()?.time ?? 0);
          }}
        />
      </label>
      <div class="sliders">
        {parts.length === 0 && (
          <Slider name="Strength" label={brush.value} value={0} says={`neutral; makes it ${brush.value}`} onInput={(value) => change(strengthenPoint(track.peek(), index, value, brush.peek()), `part-${index}`)} />
        )}
        {parts.map(([label, part]) => (
          <Slider
            key={label}
            name={label}
            label={label}
            value={part}
            onInput={(value) =>
              change(
                parts.length === 1 ? strengthenPoint(track.peek(), index, value, label) : partOfPoint(track.peek(), index, label, value),
                `part-${index}-${label}`,
              )
            }
            {...(parts.length > 1 ? { onRemove: () => change(blendPoint(track.peek(), index, label)) } : {})}
          />
        ))}
        {parts.length > 1 && <p class="hint">{percent(1 - strengthOf(point.mixture))} neutral</p>}
      </div>
      <div class="point-actions">
        <button type="button" class="quiet" title="The same once more, so that it is held (D)" onClick={() => { repeatSelected(); focusSelected(); }}>
          Hold
        </button>
        <IconButton icon="trash" name="Remove the point" hint="Delete" onClick={() => { removeSelected(); focusSelected(); }} />
      </div>
    </div>
  );
}

interface SliderProps {
  name: string;
  label: string;
  value: number;
  says?: string;
  onInput: (value: number) => void;
  onRemove?: () => void;
}

function Slider({ name, label, value, says, onInput, onRemove }: SliderProps) {
  return (
    <label class="slider" style={{ color: colorOf(label) }}>
      <span class="slider-name">{name}</span>
      <input
        type="range"
        min="0"
        max="100"
        step="1"
        value={Math.round(value * 100)}
        style={{ "--part": percent(value).replace(" ", "") }}
        aria-valuetext={says ?? percent(value)}
        onInput={(event) => onInput(Number(event.currentTarget.value) / 100)}
        onChange={settleChange}
      />
      <span class="slider-value">{percent(value)}</span>
      {onRemove && <IconButton icon="close" name={`Take ${name} out of the mixture`} onClick={onRemove} />}
    </label>
  );
}
