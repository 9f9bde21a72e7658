/** What the server says and hears; times in seconds, strengths 0..1. */

export interface Status {
  version: string;
  queue: { running: number; waiting: number; limit: number };
  token_required: boolean;
  engine: string;
}

export interface Portrait {
  id: string;
  name: string;
  builtin: boolean;
  width: number;
  height: number;
  seconds: number;
  quick: boolean;
  consent: { statement: string; recorded: string };
  created: string;
  left_out: string[];
  held_out: Record<string, number>;
}

export interface Speech {
  id: string;
  name: string;
  seconds: number;
  peaks: number[];
}

export interface Heard {
  track: string;
  whole: Record<string, number>;
}

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled";

export interface FilmSettings {
  portrait: string;
  portrait_name?: string;
  speech: string;
  speech_name?: string;
  seconds?: number;
  emotion: string;
  seed?: number;
}

export interface BuildSettings {
  name: string;
  consent: string;
  quick: boolean;
  file_name?: string;
}

interface JobOf<Kind, Settings> {
  id: string;
  kind: Kind;
  state: JobState;
  stage: string;
  done: number;
  total: number;
  frames_per_second: number | null;
  seconds_left: number | null;
  created: string;
  started: string | null;
  finished: string | null;
  settings: Settings;
  error: string | null;
  result: { film: string | null; width: number; height: number; seconds: number; portrait_id?: string; report?: string } | null;
  position: number | null;
}

export type FilmJob = JobOf<"film", FilmSettings>;
export type BuildJob = JobOf<"build", BuildSettings>;
export type Job = FilmJob | BuildJob;

export function isOver(job: Job): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}
