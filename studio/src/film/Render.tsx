import { Icon } from "../parts/Icon";
import { Bar, Complaint, Panel } from "../parts/Parts";
import { ordinal, span } from "../parts/words";
import { activeFilms, cancelJob, portrait, ready, render, renderProblem, speech, starting, text, track } from "../state";
import type { FilmJob } from "../api/types";

export function Render() {
  const said = speech.value;
  const person = portrait.value;
  return (
    <Panel title="Film" step={4} id="film" class="render">
      {ready.value && said && person ? (
        <p class="summary">
          <strong>{person.name}</strong> says <strong>{said.name}</strong>, {span(said.seconds)},{" "}
          {track.value.length === 0 ? "neutral all the way" : track.value.length === 1 ? text.value : `${track.value.length} points of emotion`}.
        </p>
      ) : (
        <p class="hint">{person ? "Give the speech, and this becomes a film." : "Choose a portrait and give the speech first."}</p>
      )}
      <button type="button" class="wide strong render-button" disabled={!ready.value || starting.value} onClick={() => void render()} title="Render the film (R)">
        {starting.value ? "Asking…" : "Render the film"}
      </button>
      <Complaint text={renderProblem.value} onClose={() => (renderProblem.value = null)} />
      {activeFilms.value.map((job) => (
        <Progress key={job.id} job={job} />
      ))}
    </Panel>
  );
}

function Progress({ job }: { job: FilmJob }) {
  const part = job.state === "running" && job.total > 0 ? job.done / job.total : null;
  const facts = [
    job.total > 0 && `${job.done} of ${job.total} frames`,
    job.frames_per_second !== null && `${job.frames_per_second.toFixed(1)} frames/s`,
    job.seconds_left !== null && `${span(job.seconds_left)} left`,
  ].filter(Boolean);
  const says = job.state === "waiting" ? `Waiting, ${ordinal(job.position ?? 1)} in line` : facts.join(", ") || job.stage || "Beginning";
  return (
    <div class="progress">
      <p class="progress-what" title={job.settings.emotion}>{job.settings.emotion}</p>
      <Bar name="Rendering" part={part} says={says} />
      <div class="progress-line">
        <span class="progress-facts">{job.state === "waiting" || facts.length === 0 ? says : facts.map((fact) => <span key={String(fact)}>{fact}</span>)}</span>
        <button type="button" class="quiet" onClick={() => void cancelJob(job.id)}>
          <Icon name="close" /> Cancel
        </button>
      </div>
    </div>
  );
}
