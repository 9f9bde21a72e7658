import { expect, test } from "vitest";
import { begin, commit, redo, settle, undo } from "./history";

test("there and back", () => {
  const history = commit(commit(begin("a"), "b"), "c");
  expect(undo(history).present).toBe("b");
  expect(undo(undo(history)).present).toBe("a");
  expect(undo(undo(undo(history))).present).toBe("a");
  expect(redo(undo(history)).present).toBe("c");
  expect(redo(history)).toBe(history);
});

test("a change after undo forgets what was undone", () => {
  expect(redo(commit(undo(commit(begin("a"), "b")), "c")).present).toBe("c");
});

test("a run of the same step is one change, until it settles", () => {
  let history = commit(commit(begin(0), 1, "slide"), 2, "slide");
  expect(undo(history).present).toBe(0);
  history = commit(settle(history), 3, "slide");
  expect(undo(history).present).toBe(2);
  expect(undo(commit(history, 4, "other")).present).toBe(3);
});

test("the same value is no change", () => {
  const history = begin("a");
  expect(commit(history, "a")).toBe(history);
});

test("two hundred steps are kept", () => {
  let history = begin(0);
  for (let step = 1; step <= 300; step++) history = commit(history, step);
  for (let step = 0; step < 400; step++) history = undo(history);
  expect(history.present).toBe(100);
});
