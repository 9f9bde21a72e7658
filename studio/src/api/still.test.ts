import { beforeEach, expect, test, vi } from "vitest";
import { Problem, type StillRequest } from "./client";
import { Stills } from "./still";

let asked: { request: StillRequest; answer: (name: string) => void; fail: (error: Error) => void; signal: AbortSignal }[];
let shown: Blob[];
let told: (string | null)[];
let stills: Stills;
const pictures = new Map<string, Blob>();

const wish = (at: number, portrait = "ada"): StillRequest => ({ portrait, speech: "s", emotion: "happy", at });
const picture = (name: string): Blob => pictures.get(name) ?? pictures.set(name, new Blob([name])).get(name)!;
const settled = (): Promise<void> => vi.waitFor(() => Promise.resolve());

beforeEach(() => {
  [asked, shown, told] = [[], [], []];
  stills = new Stills({
    fetch: (request, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
        asked.push({ request, signal, answer: (name) => resolve(picture(name)), fail: reject });
      }),
    show: (blob) => shown.push(blob),
    tell: (problem) => told.push(problem),
  });
});

test("of many wishes while one is being made, only the newest is asked for", async () => {
  for (let at = 0; at < 10; at++) stills.want(wish(at));
  expect(asked.map(({ request }) => request.at)).toEqual([0]);
  asked[0]!.answer("first");
  await settled();
  expect(asked.map(({ request }) => request.at)).toEqual([0, 9]);
  asked[1]!.answer("last");
  await settled();
  expect(shown).toEqual([picture("first"), picture("last")]);
});

test("a known picture is shown at once and asked for once", async () => {
  stills.want(wish(0));
  asked[0]!.answer("zero");
  await settled();
  stills.want(wish(1));
  asked[1]!.answer("one");
  await settled();
  stills.want(wish(0));
  expect(asked).toHaveLength(2);
  expect(shown.at(-1)).toBe(picture("zero"));
});

test("a picture that comes after a newer one was shown is not shown", async () => {
  stills.want(wish(0));
  asked[0]!.answer("zero");
  await settled();
  stills.want(wish(1));
  stills.want(wish(0));
  asked[1]!.answer("one");
  await settled();
  expect(shown.at(-1)).toBe(picture("zero"));
});

test("another portrait stops what is being made", async () => {
  stills.want(wish(0));
  stills.want(wish(0, "ben"));
  expect(asked[0]!.signal.aborted).toBe(true);
  await settled();
  expect(asked[1]!.request.portrait).toBe("ben");
  expect(told).toEqual([]);
});

test("a problem is told, and forgotten with the next picture", async () => {
  stills.want(wish(0));
  asked[0]!.fail(new Problem("there is no emotion 'happy'", 422));
  await settled();
  expect(told).toEqual(["there is no emotion 'happy'"]);
  stills.again();
  asked[1]!.answer("zero");
  await settled();
  expect(told.at(-1)).toBeNull();
});

test("when the studio is busy, it is asked again", async () => {
  vi.useFakeTimers();
  stills.want(wish(0));
  asked[0]!.fail(new Problem("too many stills", 429));
  await vi.advanceTimersByTimeAsync(1000);
  vi.useRealTimers();
  expect(told).toEqual([]);
  asked[1]!.answer("zero");
  await settled();
  expect(shown).toEqual([picture("zero")]);
});
