/** The calls of the server. Every failure is a `Problem`, whose message is one line for the user. */

import type { FilmSettings, Heard, Job, Portrait, Speech, Status } from "./types";

export class Problem extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 when the server did not answer. */
    readonly status: number,
  ) {
    super(message);
  }
}

export const UNREACHABLE = "The studio does not answer. Is 'evp studio' still running?";

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...marks(init.method), ...init.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE, 0);
  }
  if (!response.ok) throw problem(response.status, await response.text());
  return response;
}

/** Other sites cannot set this header, so the server takes changes from this page only. */
function marks(method = "GET"): Record<string, string> {
  return method === "GET" ? {} : { "X-Evp-Studio": "1" };
}

function problem(status: number, body: string): Problem {
  let detail: unknown;
  try {
    detail = (JSON.parse(body) as { detail?: unknown }).detail;
  } catch {
    detail = undefined;
  }
  return new Problem(typeof detail === "string" ? detail : `The studio answered with an error (${status}).`, status);
}

async function get<T>(path: string): Promise<T> {
  return (await call(path)).json() as Promise<T>;
}

async function post(path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  return call(path, {
    method: "POST",
    ...json,
    ...init,
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...init.headers },
  });
}

export const status = (): Promise<Status> => get("/api/status");
export const emotions = async (): Promise<string[]> => (await get<{ labels: string[] }>("/api/emotions")).labels;

export const portraits = async (): Promise<Portrait[]> =>
  (await get<{ portraits: Portrait[] }>("/api/portraits")).portraits;
export const faces = async (portrait: string): Promise<Record<string, string>> =>
  (await get<{ faces: Record<string, string> }>(`/api/portraits/${portrait}/faces`)).faces;
export const pictureOf = (portrait: string): string => `/api/portraits/${portrait}/picture`;
export const sheetOf = (portrait: string): string => `/api/portraits/${portrait}/sheet`;
export const footageOf = (portrait: string): string => `/api/portraits/${portrait}/footage`;
export const deletePortrait = async (portrait: string): Promise<void> => {
  await call(`/api/portraits/${portrait}`, { method: "DELETE" });
};

export const speech = (id: string): Promise<Speech> => get(`/api/speech/${id}`);
export const soundOf = (id: string): string => `/api/speech/${id}/audio`;
export const hear = (id: string): Promise<Heard> => get(`/api/speech/${id}/hear`);

/** The sentence that says what is wrong with a description of emotion, or null when nothing is. */
export async function complaintAbout(text: string, seconds: number | null): Promise<string | null> {
  try {
    await post("/api/emotions/parse", { text, seconds });
    return null;
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return error.message;
    throw error;
  }
}

export interface StillRequest {
  portrait: string;
  speech: string | null;
  emotion: string;
  at: number;
}

export const still = async (request: StillRequest, signal: AbortSignal): Promise<Blob> =>
  (await post("/api/still", request, { signal })).blob();

export const jobs = async (): Promise<Job[]> => (await get<{ jobs: Job[] }>("/api/jobs")).jobs;
export const eventsOf = (job: string): string => `/api/jobs/${job}/events`;
export const filmOf = (job: string): string => `/api/jobs/${job}/film`;
export const cancel = async (job: string): Promise<Job> => (await post(`/api/jobs/${job}/cancel`)).json() as Promise<Job>;
export const deleteJob = async (job: string): Promise<void> => {
  await call(`/api/jobs/${job}`, { method: "DELETE" });
};

export async function film(settings: FilmSettings): Promise<Job> {
  const wish = { kind: "film", portrait: settings.portrait, speech: settings.speech, emotion: settings.emotion };
  return (await post("/api/jobs", wish, { headers: { "Idempotency-Key": key() } })).json() as Promise<Job>;
}

/** A multipart upload that tells how much of it has gone, which `fetch` cannot. */
export function upload<T>(path: string, form: FormData, progress: (part: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-Evp-Studio", "1");
    request.setRequestHeader("Idempotency-Key", key());
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T);
      else reject(problem(request.status, request.responseText));
    };
    request.onerror = () => reject(new Problem(UNREACHABLE, 0));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** Sent again with the same key, a request is carried out once. `randomUUID` is missing on plain http. */
function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
