import { expect, test } from "vitest";
import { bands, mixtureAt } from "./curve";
import { parseTrack, type Track } from "./track";

const LABELS = ["neutral", "happy", "sad"];
const track = (text: string): Track => parseTrack(text, LABELS) as Track;

test("nothing is neutral, one point is the same everywhere", () => {
  expect(mixtureAt([], 3)).toEqual({});
  const one = track("happy:0.8");
  for (const time of [0, 5, 100]) expect(mixtureAt(one, time)["happy"]).toBeCloseTo(0.8);
});

test("between two points the face is halfway in the middle, and slow at both ends", () => {
  const two = track("2 happy, 6 sad");
  expect(mixtureAt(two, 4)["happy"]).toBeCloseTo(0.5);
  expect(mixtureAt(two, 4)["sad"]).toBeCloseTo(0.5);
  expect(mixtureAt(two, 0)["happy"]).toBeCloseTo(1);
  expect(mixtureAt(two, 9)["sad"]).toBeCloseTo(1);
  const straight = 1 / 4;
  expect(mixtureAt(two, 3)["sad"]).toBeLessThan(straight);
});

test("a jump is eased, like on the server", () => {
  const jump = track("0 neutral, 2 neutral, 2.04 happy");
  // A step blurred by a Gaussian of 0.2 s: one standard deviation before it 16 %, after it 84 %.
  expect(mixtureAt(jump, 1.82)["happy"]).toBeCloseTo(0.159, 1);
  expect(mixtureAt(jump, 2.22)["happy"]).toBeCloseTo(0.841, 1);
  expect(mixtureAt(jump, 1.3)["happy"] ?? 0).toBeLessThan(0.01);
});

test("bands stand on one another and leave out what does not occur", () => {
  const made = bands(track("0 happy:0.5+sad:0.25"), LABELS, 10, 4);
  expect(made.map((band) => band.label)).toEqual(["happy", "sad"]);
  expect(made[0]?.lower).toEqual([0, 0, 0, 0, 0]);
  expect(made[1]?.lower).toEqual(made[0]?.upper);
  made[1]?.upper.forEach((edge) => expect(edge).toBeCloseTo(0.75));
  expect(bands(track("neutral"), LABELS, 10, 4)).toEqual([]);
});
