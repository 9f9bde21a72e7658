/** The area of the lane that points lie in, for all that drop points into it. */
export const plot: { current: HTMLElement | null } = { current: null };

export interface Position {
  /** 0 at the start of the speech, 1 at its end. */
  part: number;
  strength: number;
}

/** Where a pointer is on the plot, or null when it is clearly beside it. */
export function positionOn(area: HTMLElement | null, event: MouseEvent): Position | null {
  if (!area) return null;
  const box = area.getBoundingClientRect();
  const margin = 24;
  const { clientX: x, clientY: y } = event;
  const visible = area.closest(".timeline-scroll")?.getBoundingClientRect() ?? box;
  if (x < visible.left || x > visible.right || y < box.top - margin || y > box.bottom + margin) return null;
  const within = (value: number): number => Math.min(Math.max(value, 0), 1);
  return { part: within((x - box.left) / box.width), strength: within((box.bottom - y) / box.height) };
}
