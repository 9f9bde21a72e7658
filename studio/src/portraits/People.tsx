import { useState } from "preact/hooks";
import { deletePortrait, pictureOf, sheetOf } from "../api/client";
import type { Portrait } from "../api/types";
import { Complaint, Dialog, Panel } from "../parts/Parts";
import { day } from "../parts/words";
import { Figures, LeftOut } from "./Figures";
import { portraitId, portraits, reloadPortraits, sentence } from "../state";

/** All portraits, with what is known of them. */
export function People() {
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <Panel title="Portraits" id="people" class="people">
      <Complaint text={problem} onClose={() => setProblem(null)} />
      {portraits.value?.length === 0 && <p class="hint">There is none yet.</p>}
      <ul class="person-list">
        {portraits.value?.map((person) => (
          <Person key={person.id} person={person} onProblem={setProblem} />
        ))}
      </ul>
    </Panel>
  );
}

function Person({ person, onProblem }: { person: Portrait; onProblem: (problem: string | null) => void }) {
  const [deleting, setDeleting] = useState(false);
  const [sheet, setSheet] = useState(false);
  const [noSheet, setNoSheet] = useState(false);
  const remove = async (): Promise<void> => {
    setDeleting(false);
    try {
      await deletePortrait(person.id);
      await reloadPortraits();
    } catch (error) {
      onProblem(sentence(error));
    }
  };
  return (
    <li class="person">
      <img src={pictureOf(person.id)} alt="" width={112} height={112} loading="lazy" />
      <div class="person-facts">
        <h3>{person.name} <small>{person.builtin ? "built in" : person.quick ? "quick" : "fine-tuned"}</small></h3>
        <p>{person.width} × {person.height}, {person.seconds.toFixed(1)} s of footage, made on {day(person.created)}</p>
        <p class="person-consent">“{person.consent.statement}”</p>
        {Object.keys(person.held_out).length > 0 && (
          <details>
            <summary>How well it makes frames that it never saw</summary>
            <Figures heldOut={person.held_out} />
            <LeftOut spans={person.left_out} />
          </details>
        )}
        <div class="take-actions">
          <a class="button quiet" href="#/" onClick={() => (portraitId.value = person.id)} aria-label={`Make a film with ${person.name}`}>Make a film</a>
          <button type="button" class="quiet" onClick={() => setSheet(true)} aria-label={`Contact sheet of ${person.name}`}>Contact sheet</button>
          {!person.builtin && !deleting && <button type="button" class="quiet" onClick={() => setDeleting(true)} aria-label={`Delete ${person.name}`}>Delete</button>}
          {deleting && (
            <>
              <button type="button" class="danger" onClick={() => void remove()}>Delete for good</button>
              <button type="button" class="quiet" onClick={() => setDeleting(false)}>Keep</button>
            </>
          )}
        </div>
      </div>
      <Dialog title={`Contact sheet of ${person.name}`} open={sheet} onClose={() => setSheet(false)}>
        <figure class="sheet">
          {noSheet ? (
            <p class="hint">This portrait was made without one.</p>
          ) : (
            <img src={sheetOf(person.id)} alt="Frames that were kept aside: as filmed above, as made below" onError={() => setNoSheet(true)} />
          )}
        </figure>
      </Dialog>
    </li>
  );
}
