/** Undo and redo of values that never change in place. */

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What made the present, so that a run of the same small steps is undone at once. */
  readonly step: string | null;
}

const MOST = 200;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], step: null };
}

/** A new present. With the name of a `step` that the last change had as well, it joins that change. */
export function commit<T>(history: History<T>, present: T, step: string | null = null): History<T> {
  if (present === history.present) return history;
  const joins = step !== null && step === history.step;
  const past = joins ? history.past : [...history.past, history.present].slice(-MOST);
  return { past, present, future: [], step };
}

/** The next step is a new one, whatever its name. */
export function settle<T>(history: History<T>): History<T> {
  return history.step === null ? history : { ...history, step: null };
}

export function undo<T>(history: History<T>): History<T> {
  const present = history.past.at(-1);
  if (present === undefined) return history;
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future], step: null };
}

export function redo<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future;
  if (present === undefined) return history;
  return { past: [...history.past, history.present], present, future, step: null };
}
