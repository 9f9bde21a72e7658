import { BuildForm } from "./BuildForm";
import { Builds } from "./Builds";
import { People } from "./People";

export function PortraitScreen() {
  return (
    <main class="portrait-screen">
      <h1 class="unseen">Portraits</h1>
      <div class="column">
        <BuildForm />
      </div>
      <div class="column">
        <Builds />
        <People />
      </div>
    </main>
  );
}
