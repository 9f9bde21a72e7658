import { describe, expect, test } from "vitest";
import { addPoint, blendPoint, fitTrack, labelPoint, movePoint, partOfPoint, removePoint, strengthenPoint } from "./edit";
import { formatTrack, parseTrack, strengthOf, type Track } from "./track";

const LABELS = ["neutral", "happy", "sad", "angry"];
const track = (text: string): Track => parseTrack(text, LABELS) as Track;
const THREE = track("1 happy:0.5, 2 sad, 3 neutral");

describe("adding", () => {
  test("goes in the order of time", () => {
    const { track: four, index } = addPoint(THREE, { time: 2.5, mixture: { angry: 0.3 } }, 6);
    expect(index).toBe(2);
    expect(formatTrack(four)).toBe("1 happy:0.5, 2 sad, 2.5 angry:0.3, 3 neutral");
    expect(addPoint([], { time: 1, mixture: {} }, 6).track).toHaveLength(1);
  });
  test("stays in the speech", () => {
    expect(addPoint(THREE, { time: 9, mixture: {} }, 6).track.at(-1)?.time).toBe(6);
    expect(addPoint(THREE, { time: -1, mixture: {} }, 6).track[0]?.time).toBe(0);
  });
  test("on a point means that point", () => {
    const added = addPoint(THREE, { time: 2.03, mixture: { angry: 1 } }, 6);
    expect(added.track).toBe(THREE);
    expect(added.index).toBe(1);
    expect(addPoint(THREE, { time: 2.04, mixture: { angry: 1 } }, 6).track).toHaveLength(4);
  });
});

test("removing leaves the others", () => {
  expect(formatTrack(removePoint(THREE, 1))).toBe("1 happy:0.5, 3 neutral");
});

describe("moving", () => {
  test("stops a frame before the neighbours and at the ends", () => {
    expect(movePoint(THREE, 1, 0, 6)[1]?.time).toBe(1.04);
    expect(movePoint(THREE, 1, 5, 6)[1]?.time).toBe(2.96);
    expect(movePoint(THREE, 0, -2, 6)[0]?.time).toBe(0);
    expect(movePoint(THREE, 2, 7, 6)[2]?.time).toBe(6);
    expect(movePoint(THREE, 2, 7, 6.238)[2]?.time).toBe(6.23);
  });
  test("where there is no room nothing moves", () => {
    const close = track("0 happy, 0.04 sad, 0.07 angry");
    expect(movePoint(close, 1, 0.06, 6)).toBe(close);
  });
});

describe("strength", () => {
  test("keeps the proportions of a mixture", () => {
    const mixed = strengthenPoint(track("happy:0.3+sad:0.1"), 0, 0.8, "angry");
    expect(mixed[0]?.mixture).toEqual({ happy: 0.6, sad: 0.2 });
  });
  test("goes to nothing and comes back with the same labels", () => {
    const none = strengthenPoint(track("happy:0.3+sad:0.1"), 0, -1, "angry");
    expect(none[0]?.mixture).toEqual({ happy: 0, sad: 0 });
    expect(strengthenPoint(none, 0, 0.6, "angry")[0]?.mixture).toEqual({ happy: 0.3, sad: 0.3 });
  });
  test("makes a neutral point what was asked for", () => {
    expect(strengthenPoint(THREE, 2, 0.4, "angry")[2]?.mixture).toEqual({ angry: 0.4 });
    expect(strengthenPoint(THREE, 2, 0.4, "neutral")).toBe(THREE);
  });
});

describe("labels", () => {
  test("change with the strength kept", () => {
    expect(labelPoint(THREE, 0, "angry")[0]?.mixture).toEqual({ angry: 0.5 });
    expect(labelPoint(THREE, 2, "angry")[2]?.mixture).toEqual({ angry: 1 });
    expect(labelPoint(THREE, 0, "neutral")[0]?.mixture).toEqual({});
  });
  test("are mixed in equal parts, and taken out again", () => {
    const two = blendPoint(track("happy:0.8"), 0, "sad");
    expect(two[0]?.mixture).toEqual({ happy: 0.4, sad: 0.4 });
    const three = blendPoint(two, 0, "angry");
    expect(strengthOf(three[0]!.mixture)).toBeCloseTo(0.8);
    expect(three[0]?.mixture["angry"]).toBe(0.26);
    expect(blendPoint(two, 0, "happy")[0]?.mixture).toEqual({ sad: 0.8 });
    expect(blendPoint(track("happy:0.8"), 0, "happy")[0]?.mixture).toEqual({});
  });
  test("give way to one that needs more", () => {
    const mixed = partOfPoint(track("happy:0.5+sad:0.5"), 0, "sad", 0.8);
    expect(mixed[0]?.mixture).toEqual({ happy: 0.2, sad: 0.8 });
    expect(partOfPoint(THREE, 0, "sad", 0.8)).toBe(THREE);
  });
  test("are never more than 1 together, however they are rounded", () => {
    let thirds = blendPoint(blendPoint(track("happy"), 0, "sad"), 0, "angry");
    for (const strength of [0.37, 0.99, 1]) thirds = strengthenPoint(thirds, 0, strength, "sad");
    expect(strengthOf(thirds[0]!.mixture)).toBeLessThanOrEqual(1 + 1e-9);
    expect(parseTrack(formatTrack(thirds), LABELS)).toEqual(thirds);
  });
});

test("another speech keeps the points that lie in it", () => {
  expect(formatTrack(fitTrack(THREE, 2.5))).toBe("1 happy:0.5, 2 sad");
  expect(fitTrack(THREE, 3)).toBe(THREE);
});
