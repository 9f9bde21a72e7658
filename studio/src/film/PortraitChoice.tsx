import { pictureOf } from "../api/client";
import { Icon } from "../parts/Icon";
import { Panel } from "../parts/Parts";
import { portraitId, portraits } from "../state";

export function PortraitChoice() {
  const people = portraits.value;
  return (
    <Panel title="Portrait" step={1} id="portrait" class="portrait-choice">
      <fieldset class="cards">
        <legend class="unseen">Whose face speaks</legend>
        {people === null && [1, 2].map((number) => <div key={number} class="card skeleton" />)}
        {people?.map((person) => (
          <label key={person.id} class="card">
            <input type="radio" name="portrait" class="unseen" checked={person.id === portraitId.value} onChange={() => (portraitId.value = person.id)} />
            <img src={pictureOf(person.id)} alt="" width={96} height={96} loading="lazy" />
            <span class="card-name">{person.name}</span>
            <span class="card-note">{person.builtin ? "built in" : person.quick ? "quick" : "fine-tuned"}</span>
          </label>
        ))}
        <a class="card card-new" href="#/portraits">
          <span class="card-plus"><Icon name="plus" /></span>
          <span class="card-name">New</span>
          <span class="card-note">from a video</span>
        </a>
      </fieldset>
      {people?.length === 0 && <p class="hint">There is no portrait yet: make one from a video of a person who agrees.</p>}
    </Panel>
  );
}
