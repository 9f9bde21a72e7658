import { sheetOf } from "../api/client";
import { isOver, type BuildJob, type BuildReport } from "../api/types";
import { Icon } from "../parts/Icon";
import { Bar, IconButton, Panel } from "../parts/Parts";
import { moment, ordinal, percent, span } from "../parts/words";
import { Figures, LeftOut } from "./Figures";
import { builds, cancelJob, deleteTake, portraitId, portraits } from "../state";

/** Portraits that are being built, and what came of those that were. */
export function Builds() {
  if (builds.value.length === 0) return null;
  return (
    <Panel title="Builds" id="builds" class="builds">
      <ol class="take-list">
        {builds.value.map((job) => (
          <Build key={job.id} job={job} />
        ))}
      </ol>
    </Panel>
  );
}

function Build({ job }: { job: BuildJob }) {
  const part = job.state === "running" && job.total > 0 ? job.done / job.total : null;
  const made = job.result?.portrait_id ?? null;
  const facts = [
    part !== null && percent(part),
    job.seconds_left !== null && `${span(job.seconds_left)} left`,
  ].filter(Boolean);
  const says = job.state === "waiting" ? `Waiting, ${ordinal(job.position ?? 1)} in line` : [job.stage || "Beginning", ...facts].join(" · ");
  return (
    <li class="take" data-state={job.state}>
      <div class="take-head">
        <h3>{job.settings.name}</h3>
        <span class="take-when">{job.settings.quick ? "quick" : "full"} · {isOver(job) && job.state !== "done" ? `${job.state} · ` : ""}{moment(job.created)}</span>
      </div>
      {!isOver(job) && (
        <div class="progress">
          <Bar name={`Building ${job.settings.name}`} part={part} says={says} />
          <div class="progress-line">
            <span class="progress-facts">{says}</span>
            <button type="button" class="quiet" onClick={() => void cancelJob(job.id)}><Icon name="close" /> Cancel</button>
          </div>
        </div>
      )}
      {job.error !== null && <p class="problem" role="alert">{job.error}</p>}
      {job.state === "done" && (
        <>
          {job.result?.report && <Report report={job.result.report} seconds={job.result.seconds} />}
          {made && portraits.value?.some(({ id }) => id === made) && (
            <>
              <figure class="sheet">
                <img src={sheetOf(made)} alt={`Contact sheet of ${job.settings.name}: frames that were kept aside, as filmed above, as made below`} loading="lazy" />
                <figcaption>Frames that were kept aside: as filmed above, as made below.</figcaption>
              </figure>
              <div class="take-actions">
                <a class="button strong" href="#/" onClick={() => (portraitId.value = made)}>Make a film with it</a>
              </div>
            </>
          )}
        </>
      )}
      {isOver(job) && <div class="take-corner"><IconButton icon="close" name={`Put the report on ${job.settings.name} away`} onClick={() => void deleteTake(job.id)} /></div>}
    </li>
  );
}

/** What was kept, what was not, and how good the result is. */
function Report({ report, seconds }: { report: BuildReport; seconds: number }) {
  return (
    <div class="report">
      <p>
        {seconds.toFixed(1)} s kept in {report.shots} {report.shots === 1 ? "shot" : "shots"}, {report.source_frames} source frames, built in {span(report.build_seconds)}.
      </p>
      <Figures heldOut={report.held_out} />
      <LeftOut spans={report.left_out} />
    </div>
  );
}
