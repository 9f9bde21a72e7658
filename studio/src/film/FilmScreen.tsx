import { useEffect } from "preact/hooks";
import { Dialog, Panel } from "../parts/Parts";
import { Faces } from "../lane/Faces";
import { PointEditor } from "../lane/PointEditor";
import { Timeline } from "../lane/Timeline";
import { TrackText } from "../lane/TrackText";
import { speech } from "../state";
import { PortraitChoice } from "./PortraitChoice";
import { Render } from "./Render";
import { SpeechChoice } from "./SpeechChoice";
import { Stage } from "./Stage";
import { Takes } from "./Takes";
import { KEYS, keysShown, listenForKeys } from "./keys";
import { pauseAll } from "./transport";

/** From left to right: whose face, what is said, how it feels, and the film. */
export function FilmScreen() {
  useEffect(() => {
    const stop = listenForKeys();
    return () => {
      stop();
      pauseAll();
    };
  }, []);
  return (
    <main class="film-screen">
      <h1 class="unseen">Make a film</h1>
      <div class="column column-in">
        <PortraitChoice />
        <SpeechChoice />
      </div>
      <div class="column column-direct">
        <Stage />
        <Panel title="Emotion" step={3} id="emotion" class="direct">
          {speech.value ? (
            <Timeline />
          ) : (
            <p class="lane-none">The speech appears here, with a lane under it in which you set how it feels. Until then, press a face to see it.</p>
          )}
          <Faces />
          {speech.value && <PointEditor />}
          {speech.value && <TrackText />}
        </Panel>
      </div>
      <div class="column column-out">
        <Render />
        <Takes />
      </div>
      <Dialog title="Keys" open={keysShown.value} onClose={() => (keysShown.value = false)}>
        <dl class="keys">
          {KEYS.map(([key, does]) => (
            <div key={key}>
              <dt><kbd>{key}</kbd></dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </main>
  );
}
