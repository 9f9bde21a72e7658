import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { filmOf, footageOf, pictureOf } from "../api/client";
import { recall, remember } from "../memory";
import { Segments } from "../parts/Parts";
import { clockTime } from "../parts/words";
import { mixtureAt } from "../lane/curve";
import { NEUTRAL, formatMixture, type Mixture } from "../lane/track";
import { playhead, playing, portrait, portraits, seek, speech, still, stillProblem, takes, track, tried, view, watched, type Take } from "../state";
import { filmPlayer } from "./transport";

/** What is seen beside a take: nothing, the target's own footage, or another take. */
const beside = signal<string>(recall("beside") ?? "nothing");
effect(() => remember("beside", beside.value));

/** What is shown, and beside what. */
export function StageBar() {
  const take = watched.value;
  return (
    <div class="stage-bar">
      <Segments
        name="What is shown"
        value={take ? view.value : "face"}
        choices={[
          { value: "face", name: "Direct", says: "The face at this moment" },
          { value: "film", name: take ? take.name : "Film", says: take ? `The film: ${take.name}` : "The film, once there is one" },
        ]}
        onChange={(next) => (view.value = take ? next : "face")}
      />
      {take && view.value === "film" ? <Beside take={take} /> : <Feeling />}
    </div>
  );
}

/** The face at the moment, or the film that was made. */
export function Screen() {
  const take = watched.value;
  return <div class="screen">{take && view.value === "film" ? <Films take={take} key={take.job.id} /> : <Face />}</div>;
}

/** In words, what the face feels at this moment. */
function Feeling() {
  const now: Mixture = speech.value ? rounded(mixtureAt(track.value, playhead.value)) : shares(tried.value);
  return <p class="feeling">{formatMixture(now).replaceAll(":", " ").replaceAll("+", " + ")}{speech.value && <span> at {clockTime(playhead.value)}</span>}</p>;
}

const shares = (label: string): Mixture => (label === NEUTRAL ? {} : { [label]: 1 });

function rounded(mixture: Mixture): Mixture {
  return Object.fromEntries(Object.entries(mixture).map(([label, part]): [string, number] => [label, Math.round(part * 20) / 20]).filter(([, part]) => part > 0));
}

/** Of tall pictures the upper part is shown, where faces are. */
const near = signal(recall("near") !== "no");
effect(() => remember("near", near.value ? "yes" : "no"));
const TALL = 1.15;

function Face() {
  const person = portrait.value;
  if (!person) return <p class="stage-empty">{portraits.value === null ? "Opening the studio…" : "Choose a portrait to begin."}</p>;
  const tall = person.height > TALL * person.width;
  return (
    <>
      <img
        class="face-now"
        data-near={tall && near.value}
        src={still.value ?? pictureOf(person.id)}
        alt={`${person.name} at this moment`}
        data-live={still.value !== null}
        width={person.width}
        height={person.height}
      />
      {tall && (
        <button type="button" class="near" aria-pressed={near.value} onClick={() => (near.value = !near.value)}>
          Close-up
        </button>
      )}
      {stillProblem.value !== null && <p class="stage-note" role="status">{stillProblem.value}</p>}
    </>
  );
}

function Beside({ take }: { take: Take }) {
  const others = takes.value.filter(({ job }) => job.id !== take.job.id && job.state === "done");
  const known = beside.value === "nothing" || beside.value === "target" || others.some(({ job }) => job.id === beside.value);
  return (
    <label class="beside">
      <span>Beside it</span>
      <select value={known ? beside.value : "nothing"} onChange={(event) => (beside.value = event.currentTarget.value)}>
        <option value="nothing">nothing</option>
        <option value="target">the target's footage</option>
        {others.map(({ name, job }) => (
          <option key={job.id} value={job.id}>{name}: {job.settings.emotion}</option>
        ))}
      </select>
    </label>
  );
}

function Films({ take }: { take: Take }) {
  const film = useRef<HTMLVideoElement>(null);
  const other = useRef<HTMLVideoElement>(null);
  const { job } = take;
  const other_take = takes.value.find((one) => one.job.id === beside.value && one.job.id !== job.id && one.job.state === "done");
  const target = portraits.value?.find(({ id }) => id === job.settings.portrait);
  const second = beside.value === "target" && target ? { name: `${target.name}, as filmed`, src: footageOf(target.id) } : other_take && { name: other_take.name, src: filmOf(other_take.job.id) };
  const own = job.settings.speech === speech.value?.id;

  useEffect(() => {
    const video = film.current;
    if (!video) return;
    filmPlayer.value = {
      playing: () => !video.paused,
      play: (from) => {
        if (own && Math.abs(video.currentTime - from) > 0.1) video.currentTime = from;
        else if (video.ended) video.currentTime = 0;
        video.play().catch(() => (playing.value = false));
      },
      pause: () => video.pause(),
    };
    return () => {
      filmPlayer.value = null;
      playing.value = false;
    };
  }, [job.id, own]);

  // The moment of the lane and that of its film are the same.
  useEffect(() => {
    const video = film.current;
    if (!video || !own) return;
    let frame = 0;
    const follow = (): void => {
      if (!video.paused) seek(video.currentTime);
      frame = requestAnimationFrame(follow);
    };
    follow();
    const stop = playhead.subscribe((time) => {
      if (video.paused && Math.abs(video.currentTime - time) > 0.03 && !video.seeking) video.currentTime = time;
    });
    const sought = (): void => {
      if (video.paused && Math.abs(playhead.peek() - video.currentTime) > 0.03) seek(video.currentTime);
    };
    video.addEventListener("seeked", sought);
    return () => {
      cancelAnimationFrame(frame);
      stop();
      video.removeEventListener("seeked", sought);
    };
  }, [job.id, own]);

  // The second film goes with the first.
  useEffect(() => {
    const [video, also] = [film.current, other.current];
    if (!video || !also) return;
    const place = (): number => (Number.isFinite(also.duration) && also.duration > 0 ? video.currentTime % also.duration : video.currentTime);
    const align = (): void => {
      if (Math.abs(also.currentTime - place()) > 0.12) also.currentTime = place();
      if (video.paused) also.pause();
      else also.play().catch(() => undefined);
    };
    const events = ["play", "pause", "seeked", "timeupdate"] as const;
    for (const name of events) video.addEventListener(name, align);
    also.addEventListener("loadedmetadata", align);
    return () => {
      for (const name of events) video.removeEventListener(name, align);
      also.removeEventListener("loadedmetadata", align);
    };
  }, [job.id, second?.src]);

  return (
    <div class="films" data-two={second !== undefined}>
      <figure>
        <video
          ref={film}
          src={filmOf(job.id)}
          controls
          playsInline
          preload="metadata"
          aria-label={`${take.name}: ${job.settings.portrait_name ?? "the portrait"} speaks`}
          onPlay={() => (playing.value = true)}
          onPause={() => (playing.value = false)}
        />
        <figcaption>{take.name}</figcaption>
      </figure>
      {second && (
        <figure>
          <video ref={other} src={second.src} muted playsInline loop preload="auto" aria-label={second.name} />
          <figcaption>{second.name}</figcaption>
        </figure>
      )}
    </div>
  );
}
