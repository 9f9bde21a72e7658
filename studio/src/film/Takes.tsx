import { useState } from "preact/hooks";
import { filmOf } from "../api/client";
import { Icon } from "../parts/Icon";
import { IconButton, Panel } from "../parts/Parts";
import { moment, span } from "../parts/words";
import { deleteTake, keptDays, repeat, starting, takeUp, takes, view, watch, watchedId, type Take } from "../state";

/** Watches a take, and brings the screen in sight: on a phone it is far above. */
function show(id: string): void {
  watch(id);
  document.querySelector(".screen")?.scrollIntoView({ block: "nearest" });
}

export function Takes() {
  return (
    <Panel title="Takes" id="takes" class="takes" aside={takes.value.length > 0 && <span class="count">{takes.value.length}</span>}>
      {takes.value.length === 0 ? (
        <p class="hint">
          Every film that you render is kept here with its settings{keptDays.value === null ? "" : ` for ${Math.round(keptDays.value)} days`}, to compare, download and repeat.
        </p>
      ) : (
        <ol class="take-list">
          {takes.value.map((take) => (
            <TakeCard key={take.job.id} take={take} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function TakeCard({ take }: { take: Take }) {
  const [deleting, setDeleting] = useState(false);
  const { name, job } = take;
  const { settings, state } = job;
  const shown = watchedId.value === job.id && view.value === "film" && state === "done";
  return (
    <li class="take" data-shown={shown} data-state={state}>
      <div class="take-head">
        <h3>{name}</h3>
        <span class="take-when">{state === "done" ? job.result && span(job.result.seconds) : state} · {moment(job.created)}</span>
      </div>
      <p class="take-what">{settings.portrait_name ?? settings.portrait} · {settings.speech_name ?? settings.speech}</p>
      <p class="take-emotion"><code>{settings.emotion}</code></p>
      {job.error !== null && <p class="problem">{job.error}</p>}
      {deleting ? (
        <div class="take-actions" role="group" aria-label={`Delete ${name}?`}>
          <span>Delete the film?</span>
          <button type="button" class="danger" onClick={() => void deleteTake(job.id)}>Delete</button>
          <button type="button" class="quiet" onClick={() => setDeleting(false)}>Keep</button>
        </div>
      ) : (
        <div class="take-actions">
          {state === "done" && (
            <button type="button" class="quiet" aria-label={`Watch ${name}`} aria-pressed={shown} onClick={() => show(job.id)}>
              <Icon name="play" /> Watch
            </button>
          )}
          {state === "done" && (
            <a class="button quiet" href={`${filmOf(job.id)}?download=1`} download aria-label={`Download ${name}`}>
              <Icon name="download" /> Download
            </a>
          )}
          <span class="gap" />
          <IconButton icon="repeat" name={`Repeat ${name} exactly`} disabled={starting.value} onClick={() => void repeat(job)} />
          <IconButton icon="pencil" name={`Edit the settings of ${name}`} onClick={() => void takeUp(job)} />
          <IconButton icon="trash" name={`Delete ${name}`} onClick={() => setDeleting(true)} />
        </div>
      )}
    </li>
  );
}
