import { expect, test } from "vitest";
import { missing, statement } from "./consent";

test("a statement says who, when and how", () => {
  expect(statement({ who: " Ada Miller ", when: "2026-11-01", how: "in writing. " })).toBe("Ada Miller agreed on 2026-11-01: in writing.");
  expect(statement({ who: "Ada", when: "2026-11-01", how: "" })).toBe("Ada agreed on 2026-11-01.");
});

test.each([
  ["", "2026-11-01", /who/],
  ["  ", "2026-11-01", /who/],
  ["Ada", "", /day/],
  ["Ada", "2026-11-29", /future/],
])("%j on %j is not enough", (who, when, complaint) => {
  expect(missing({ who, when, how: "" }, "2026-11-28")).toMatch(complaint);
});

test("who and when are enough", () => {
  expect(missing({ who: "Ada", when: "2026-11-28", how: "" }, "2026-11-28")).toBeNull();
});
