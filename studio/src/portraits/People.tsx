import { useState } from "preact/hooks";
import { deletePortrait, pictureOf, sheetOf } from "../api/client";
import type { Portrait } from "../api/types";
import { Complaint, Dialog, Panel } from "../parts/Parts";
import { day } from "../parts/words";
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

const FIGURES: readonly (readonly [string, string, (value: number) => string])[] = [
  ["face_psnr", "Face", (value) => `${value.toFixed(1)} dB`],
  ["face_ssim", "Face, SSIM", (value) => value.toFixed(3)],
  ["mouth_psnr", "Mouth", (value) => `${value.toFixed(1)} dB`],
  ["mouth_ssim", "Mouth, SSIM", (value) => value.toFixed(3)],
  ["flicker", "Flicker, of the footage's", (value) => value.toFixed(2)],
];

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
  const figures = FIGURES.filter(([key]) => Number.isFinite(person.held_out[key]));
  return (
    <li class="person">
      <img src={pictureOf(person.id)} alt="" width={112} height={112} loading="lazy" />
      <div class="person-facts">
        <h3>{person.name} <small>{person.builtin ? "built in" : person.quick ? "quick" : "fine-tuned"}</small></h3>
        <p>{person.width} × {person.height}, {person.seconds.toFixed(1)} s of footage, made on {day(person.created)}</p>
        <p class="person-consent">“{person.consent.statement}”</p>
        {figures.length > 0 && (
          <details>
            <summary>How well it makes frames that it never saw</summary>
            <dl class="figures">
              {figures.map(([key, name, show]) => (
                <div key={key}><dt>{name}</dt><dd>{show(person.held_out[key] as number)}</dd></div>
              ))}
            </dl>
            {person.left_out.length > 0 && <p class="hint">Left out: {person.left_out.join("; ")}</p>}
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
