/** The picture of a face that follows the hand: one request at a time, and of those that wait only the newest. */

import { Problem, type StillRequest } from "./client";

const KEPT = 80;
/** Too many stills are asked for, by other pages: soon again. */
const BUSY = 429;
const PAUSE_MS = 400;

export interface StillPort {
  fetch: (request: StillRequest, signal: AbortSignal) => Promise<Blob>;
  show: (picture: Blob) => void;
  /** A problem to tell, or null when the last picture came. */
  tell: (problem: string | null) => void;
}

/**
 * Asks for stills. While one is being made, newer wishes replace the one that waits, so the picture is never further
 * behind than one still; a wish for another portrait or speech stops the one being made.
 */
export class Stills {
  private going: { request: StillRequest; stop: AbortController } | null = null;
  private waiting: StillRequest | null = null;
  private wanted: string | null = null;
  private readonly kept = new Map<string, Blob>();

  constructor(private readonly port: StillPort) {}

  want(request: StillRequest): void {
    const key = JSON.stringify(request);
    if (key === this.wanted) return;
    this.wanted = key;
    this.waiting = null;
    const known = this.kept.get(key);
    if (known) {
      this.port.show(known);
      return;
    }
    this.waiting = request;
    const { going } = this;
    if (going && (going.request.portrait !== request.portrait || going.request.speech !== request.speech)) {
      going.stop.abort();
    }
    void this.next();
  }

  /** Nothing is wanted any more. */
  stop(): void {
    this.wanted = this.waiting = null;
    this.going?.stop.abort();
  }

  /** Asks again for what could not be had. */
  again(): void {
    const wanted = this.wanted;
    this.wanted = null;
    if (wanted !== null) this.want(JSON.parse(wanted) as StillRequest);
  }

  private async next(): Promise<void> {
    if (this.going) return;
    while (this.waiting) {
      const request: StillRequest = this.waiting;
      const key = JSON.stringify(request);
      this.waiting = null;
      this.going = { request, stop: new AbortController() };
      try {
        const picture = await this.port.fetch(request, this.going.stop.signal);
        this.keep(key, picture);
        // A picture that came for an older wish is still nearer to the newest than what is shown.
        if (this.wanted === key || this.waiting) this.port.show(picture);
        this.port.tell(null);
      } catch (error) {
        if (error instanceof Problem && error.status === BUSY) setTimeout(() => this.again(), PAUSE_MS);
        else if (error instanceof Problem && this.wanted === key) this.port.tell(error.message);
        else if (!(error instanceof Problem || error instanceof DOMException)) throw error;
      } finally {
        this.going = null;
      }
    }
  }

  private keep(key: string, picture: Blob): void {
    this.kept.set(key, picture);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}
