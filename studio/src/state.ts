/** What the page knows, as signals, and what can be done with it. Components show the one and call the other. */

import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "./api/client";
import { Problem } from "./api/client";
import { Stills } from "./api/still";
import { isOver, type BuildJob, type FilmJob, type FilmSettings, type Job, type Portrait, type Speech, type Status } from "./api/types";
import { begin, commit, redo, settle, undo, type History } from "./lane/history";
import { LEAST_GAP, addPoint, clamp, fitTrack, removePoint } from "./lane/edit";
import { AUTO, NEUTRAL, formatTrack, mainLabel, parseTrack, strengthOf, type Track } from "./lane/track";
import { recall, remember } from "./memory";

// ---- The studio itself

/** "locked": a token is needed. */
export const connection = signal<"starting" | "ready" | "lost" | "locked">("starting");
export const version = signal("");
export const limits = signal<Status["uploads"] | null>(null);
export const keptDays = signal<number | null>(null);
export const labels = signal<string[]>([NEUTRAL]);
export const portraits = signal<Portrait[] | null>(null);

const ASK_AGAIN_MS = 3000;

/** Loads what the page begins with, again and again until the studio answers. */
export async function connect(): Promise<void> {
  try {
    const [status, known, people, all] = await Promise.all([api.status(), api.emotions(), api.portraits(), api.jobs()]);
    batch(() => {
      version.value = status.version;
      limits.value = status.uploads;
      keptDays.value = status.kept.days;
      labels.value = known;
      if (!known.includes(brush.value)) brush.value = known.includes("happy") ? "happy" : (known.find((label) => label !== NEUTRAL) ?? NEUTRAL);
      portraits.value = people;
      for (const job of all.slice().reverse()) keepJob(job);
      for (const id of Object.keys(jobs.value)) if (!all.some((job) => job.id === id)) forgetJob(id);
      chooseAnyPortrait();
      connection.value = "ready";
    });
    await restoreSpeech();
    stills.again();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    connection.value = error.status === 401 ? "locked" : "lost";
    if (connection.value === "lost") connectSoon();
  }
}

let soon: ReturnType<typeof setTimeout> | undefined;

function connectSoon(): void {
  clearTimeout(soon);
  soon = setTimeout(() => void connect(), ASK_AGAIN_MS);
}

/** The sentence for a user of what went wrong; a studio that is gone also shows at the top of the page. */
export function sentence(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 0 && connection.value === "ready") {
    connection.value = "lost";
    connectSoon();
  }
  if (error.status === 401) connection.value = "locked";
  return error.message;
}

/** What a screen reader says next. */
export const announcement = signal("");
export function announce(text: string): void {
  announcement.value = text;
}

// ---- Portrait

export const portraitId = signal<string | null>(recall("portrait"));
export const portrait = computed(() => portraits.value?.find(({ id }) => id === portraitId.value) ?? null);
/** Label -> address of a small picture of the chosen portrait. */
export const faces = signal<Record<string, string>>({});

function chooseAnyPortrait(): void {
  if (portrait.value) return;
  const people = portraits.value ?? [];
  portraitId.value = (people.find(({ builtin }) => builtin) ?? people[0])?.id ?? null;
}

export async function reloadPortraits(): Promise<void> {
  portraits.value = await api.portraits();
  chooseAnyPortrait();
}

effect(() => {
  const id = portrait.value?.id;
  if (id === undefined) return;
  remember("portrait", id);
  faces.value = {};
  api.faces(id).then(
    (found) => portraitId.peek() === id && (faces.value = found),
    (error) => void sentence(error), // without pictures the labels' names stay
  );
});

// ---- Speech

export const speech = signal<Speech | null>(null);
export const seconds = computed(() => speech.value?.seconds ?? 0);
/** The moment that is looked at, seconds. */
export const playhead = signal(0);
export const playing = signal(false);

export function takeSpeech(given: Speech): void {
  batch(() => {
    speech.value = given;
    playhead.value = 0;
    selected.value = null;
    change(fitTrack(track.value, given.seconds));
    view.value = "face";
  });
  remember("speech", given.id);
}

async function restoreSpeech(): Promise<void> {
  const id = recall("speech");
  if (speech.value || id === null) return;
  try {
    const found = await api.speech(id);
    speech.value ??= found;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) remember("speech", null);
    else sentence(error);
  }
}

export function seek(time: number): void {
  playhead.value = clamp(time, 0, seconds.value);
}

// ---- The lane

const history = signal<History<Track>>(begin(recalledTrack()));
/** A track in the hand, while a point is dragged. */
export const draft = signal<Track | null>(null);
export const track = computed(() => draft.value ?? history.value.present);
export const text = computed(() => formatTrack(track.value));
export const selected = signal<number | null>(null);
export const selectedPoint = computed(() => (selected.value === null ? null : (track.value[selected.value] ?? null)));
/** The label of the next new point. */
export const brush = signal("happy");
/** The label whose face is looked at as long as there is no speech. */
export const tried = signal(NEUTRAL);
export const canUndo = computed(() => history.value.past.length > 0);
export const canRedo = computed(() => history.value.future.length > 0);

/** A change of the lane that can be undone; a run of changes with the same `step` counts as one. */
export function change(next: Track, step: string | null = null): void {
  batch(() => {
    draft.value = null;
    history.value = commit(history.value, next, step);
    if (selected.value !== null && selected.value >= next.length) selected.value = null;
    view.value = "face";
  });
}

export function settleChange(): void {
  history.value = settle(history.value);
}

export function undoChange(): void {
  travel(undo);
}

export function redoChange(): void {
  travel(redo);
}

function travel(way: typeof undo): void {
  batch(() => {
    draft.value = null;
    history.value = way(history.value);
    if (selected.value !== null && selected.value >= track.value.length) selected.value = null;
    view.value = "face";
  });
  announce(text.value);
}

/** Chooses a point, and goes to its moment. */
export function select(index: number | null): void {
  batch(() => {
    selected.value = index;
    const point = selectedPoint.value;
    if (!point) return;
    seek(point.time);
    const label = mainLabel(point.mixture);
    if (label !== NEUTRAL) brush.value = label;
    view.value = "face";
  });
}

export function addAt(time: number, strength: number, label = brush.value): void {
  const mixture = label === NEUTRAL ? {} : { [label]: strength };
  const added = addPoint(track.value, { time, mixture }, seconds.value);
  change(added.track);
  select(added.index);
}

export function removeSelected(): void {
  const index = selected.value;
  if (index === null || !selectedPoint.value) return;
  change(removePoint(track.value, index));
  select(track.value.length ? Math.min(index, track.value.length - 1) : null);
  announce("Point removed");
}

/** The same point again a second later, or halfway to the next one: so an emotion is held. */
export function repeatSelected(): void {
  const index = selected.value;
  const point = selectedPoint.value;
  if (index === null || !point) return;
  const next = track.value[index + 1]?.time ?? seconds.value;
  const room = next - point.time;
  const time = point.time + (room > 1 + LEAST_GAP ? 1 : room / 2);
  if (room < 2 * LEAST_GAP) return announce("There is no room for another point");
  const added = addPoint(track.value, { time, mixture: point.mixture }, seconds.value);
  change(added.track);
  select(added.index);
}

export const hearing = signal(false);
export const laneProblem = signal<string | null>(null);

/** Fills the lane with what is heard in the speech. */
export async function hear(): Promise<void> {
  const said = speech.value;
  if (!said || hearing.value) return;
  hearing.value = true;
  laneProblem.value = null;
  try {
    const heard = await api.hear(said.id);
    if (speech.value?.id !== said.id) return;
    const found = parseTrack(heard.track, labels.value, said.seconds);
    if (!found) throw new Error(`the studio heard what it cannot read: ${heard.track}`);
    selected.value = null;
    change(found);
    announce(`Heard in the voice: ${text.value}`);
  } catch (error) {
    laneProblem.value = sentence(error);
  } finally {
    hearing.value = false;
  }
}

/** Takes a description; returns the sentence that says why not, or null. */
export async function takeText(description: string): Promise<string | null> {
  const said = speech.value;
  if (description.trim() === AUTO) {
    await hear();
    return laneProblem.value;
  }
  const limit = said?.seconds ?? null;
  const read = parseTrack(description, labels.value, limit);
  if (read) {
    change(read.length === 1 && read[0] && strengthOf(read[0].mixture) === 0 && formatTrack(read) === NEUTRAL ? [] : read, "text");
    return null;
  }
  try {
    return (await api.complaintAbout(description, limit)) ?? "The studio reads this, but the page cannot show it.";
  } catch (error) {
    return sentence(error);
  }
}

function recalledTrack(): Track {
  const points = recall("lane");
  try {
    return points === null ? [] : (JSON.parse(points) as Track);
  } catch {
    return [];
  }
}

effect(() => remember("lane", JSON.stringify(history.value.present)));

// ---- What the stage shows

export const view = signal<"face" | "film">("face");
/** The address of the newest still, and what hindered the one that is wanted. */
export const still = signal<string | null>(null);
export const stillProblem = signal<string | null>(null);

const stills = new Stills({
  fetch: api.still,
  show: (picture) => {
    const before = still.value;
    still.value = URL.createObjectURL(picture);
    if (before !== null) setTimeout(() => URL.revokeObjectURL(before), 1000);
  },
  tell: (problem) => (stillProblem.value = problem),
});

effect(() => {
  const person = portrait.value?.id;
  if (person === undefined || connection.value !== "ready") return;
  if (view.value !== "face") return stills.stop();
  // A film in the making needs the processor more than a preview that plays.
  if (playing.value && activeFilms.value.length > 0) return;
  const said = speech.value;
  const at = Math.max(0, Math.round(Math.min(playhead.value, seconds.value - LEAST_GAP) / LEAST_GAP) * LEAST_GAP);
  stills.want({
    portrait: person,
    speech: said?.id ?? null,
    emotion: said ? text.value : tried.value,
    at: Math.round(at * 100) / 100,
  });
});

// The picture of another portrait must not stay while the new one is made.
effect(() => {
  portraitId.value;
  still.value = null;
  stillProblem.value = null;
});

// ---- Jobs and takes

const jobs = signal<Record<string, Job>>({});
const followed = new Map<string, EventSource>();

const newestFirst = computed(() => Object.values(jobs.value).sort((one, two) => two.created.localeCompare(one.created)));
const films = computed(() => newestFirst.value.filter((job): job is FilmJob => job.kind === "film"));
export const activeFilms = computed(() => films.value.filter((job) => !isOver(job)).reverse());
export const builds = computed(() => newestFirst.value.filter((job): job is BuildJob => job.kind === "build"));

export interface Take {
  name: string;
  job: FilmJob;
}
/** Films that are over, newest first. */
export const takes = computed<Take[]>(() =>
  films.value.map((job, place) => ({ name: `Take ${films.value.length - place}`, job })).filter(({ job }) => isOver(job)),
);
export const watchedId = signal<string | null>(recall("watched"));
export const watched = computed(
  () => takes.value.find(({ job }) => job.id === watchedId.value && job.state === "done") ?? null,
);
effect(() => remember("watched", watchedId.value));

export function watch(id: string): void {
  batch(() => {
    watchedId.value = id;
    view.value = "film";
  });
}

function keepJob(job: Job): void {
  jobs.value = { ...jobs.value, [job.id]: job };
  if (!isOver(job)) follow(job.id);
}

function forgetJob(id: string): void {
  const { [id]: gone, ...rest } = jobs.value;
  if (gone) jobs.value = rest;
  if (watchedId.value === id) {
    watchedId.value = null;
    view.value = "face";
  }
}

function follow(id: string): void {
  if (followed.has(id)) return;
  const events = new EventSource(api.eventsOf(id));
  followed.set(id, events);
  events.addEventListener("job", (event) => {
    const job = JSON.parse((event as MessageEvent<string>).data) as Job;
    keepJob(job);
    if (!isOver(job)) return;
    events.close();
    followed.delete(id);
    over(job);
  });
  events.onerror = () => {
    // A stream that broke is taken up again by the browser, one that was refused by `connect`.
    if (events.readyState === EventSource.CLOSED) followed.delete(id);
    connectSoon();
  };
}

function over(job: Job): void {
  if (job.kind === "build") {
    announce(job.state === "done" ? `The portrait ${job.settings.name} is built` : `The portrait was not built. ${job.error ?? ""}`);
    if (job.state === "done") reloadPortraits().catch(sentence);
    return;
  }
  const take = takes.value.find((one) => one.job.id === job.id);
  announce(job.state === "done" ? `${take?.name ?? "The film"} is done` : `The film was not made. ${job.error ?? ""}`);
  if (job.state === "done" && draft.value === null) watch(job.id);
}

export const starting = signal(false);
export const renderProblem = signal<string | null>(null);

async function start(settings: FilmSettings): Promise<void> {
  if (starting.value) return;
  starting.value = true;
  renderProblem.value = null;
  try {
    keepJob(await api.film(settings));
    announce("Rendering has begun");
  } catch (error) {
    renderProblem.value = sentence(error);
  } finally {
    starting.value = false;
  }
}

export const ready = computed(() => portrait.value !== null && speech.value !== null);

export async function render(): Promise<void> {
  if (!portrait.value || !speech.value) return;
  await start({ portrait: portrait.value.id, speech: speech.value.id, emotion: text.value });
}

/** A take once more, with the very same settings. */
export async function repeat(job: FilmJob): Promise<void> {
  await start(job.settings);
}

/** The settings of a take back on the desk: its portrait, its speech and its lane. */
export async function takeUp(job: FilmJob): Promise<void> {
  renderProblem.value = null;
  try {
    const said = await api.speech(job.settings.speech);
    batch(() => {
      if (portraits.value?.some(({ id }) => id === job.settings.portrait)) portraitId.value = job.settings.portrait;
      takeSpeech(said);
    });
    const problem = await takeText(job.settings.emotion);
    if (problem !== null) renderProblem.value = problem;
  } catch (error) {
    renderProblem.value = sentence(error);
  }
}

export async function cancelJob(id: string): Promise<void> {
  try {
    keepJob(await api.cancel(id));
  } catch (error) {
    renderProblem.value = sentence(error);
  }
}

export async function deleteTake(id: string): Promise<void> {
  try {
    await api.deleteJob(id);
    forgetJob(id);
  } catch (error) {
    renderProblem.value = sentence(error);
  }
}

/** A build that the server took. */
export function takeBuild(job: Job): void {
  keepJob(job);
}
