import { describe, expect, test } from "vitest";
import cases from "./syntax-cases.json";
import { formatMixture, formatTrack, mainLabel, parseTrack, strengthOf, type Track } from "./track";

const read = cases.read as [string, [number, Record<string, number>][], string][];

describe("the command line's syntax", () => {
  test.each(read)("%j is read, and written again", (text, points, written) => {
    const track = parseTrack(text, cases.labels, cases.seconds);
    expect(track).toEqual(points.map(([time, mixture]) => ({ time, mixture })));
    expect(formatTrack(track as Track)).toBe(written);
    expect(formatTrack(parseTrack(written, cases.labels, cases.seconds) as Track)).toBe(written);
  });

  test.each(cases.refused)("%j is refused", (text) => {
    expect(parseTrack(text, cases.labels, cases.seconds)).toBeNull();
  });

  test("without a speech no time is too late", () => {
    expect(parseTrack("0 happy, 900 sad", cases.labels)).toHaveLength(2);
  });
});

test("an empty track is neutral", () => {
  expect(formatTrack([])).toBe("neutral");
});

test("numbers are hundredths, without zeros behind", () => {
  expect(formatTrack([{ time: 0, mixture: {} }, { time: 1.4 / 3, mixture: { happy: 0.30000000000000004 } }])).toBe(
    "0 neutral, 0.47 happy:0.3",
  );
  expect(formatMixture({ sad: 0.999 })).toBe("sad");
});

test("the main label is the strongest", () => {
  expect(mainLabel({ happy: 0.2, sad: 0.5 })).toBe("sad");
  expect(mainLabel({})).toBe("neutral");
  expect(strengthOf({ happy: 0.2, sad: 0.5 })).toBeCloseTo(0.7);
});
