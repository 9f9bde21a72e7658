/** What the server says and hears; times in seconds, strengths 0..1. */

export interface Status {
  version: string;
  queue: { running: number; waiting: number; limit: number };
  token_required: boolean;
  engine: string;
  kept: { days: number; bytes: number };
  uploads: { speech_bytes: number; speech_seconds: number; footage_bytes: number; footage_seconds: number };
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
  emotion: string;
}

export interface BuildSettings {
  name: string;
  consent: string;
  quick: boolean;
  file_name?: string;
}

export interface BuildReport {
  shots: number;
  source_frames: number;
  build_seconds: number;
  left_out: string[];
  held_out: Record<string, number>;
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
  result: { film: string | null; width: number; height: number; seconds: number; portrait_id: string | null; report: BuildReport | null } | null;
  /** 1 for the waiting job that is next. */
  position: number | null;
}

export type FilmJob = JobOf<"film", FilmSettings>;
export type BuildJob = JobOf<"build", BuildSettings>;
export type Job = FilmJob | BuildJob;

export function isOver(job: Job): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}
