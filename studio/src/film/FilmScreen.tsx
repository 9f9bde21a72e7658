import { useEffect } from "preact/hooks";
import { Dialog } from "../parts/Parts";
import { Faces } from "../lane/Faces";
import { PointEditor } from "../lane/PointEditor";
import { Timeline } from "../lane/Timeline";
import { TrackText } from "../lane/TrackText";
import { speech, view, watched } from "../state";
import { PortraitChoice } from "./PortraitChoice";
import { Render } from "./Render";
import { SpeechChoice } from "./SpeechChoice";
import { Screen, StageBar } from "./Stage";
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
  const onFilm = watched.value !== null && view.value === "film";
  return (
    <main class="film-screen">
      <h1 class="unseen">Make a film</h1>
      <div class="column column-in">
        <PortraitChoice />
        <SpeechChoice />
      </div>
      <div class="column column-direct">
        <section class="panel desk" aria-labelledby="emotion-title" id="emotion" data-view={onFilm ? "film" : "face"}>
          <header class="desk-bar">
            <h2 id="emotion-title"><span class="step" aria-hidden="true">3</span>Emotion</h2>
            <StageBar />
          </header>
          <Screen />
          <div class="desk-timeline">
            {speech.value ? (
              <Timeline />
            ) : (
              <p class="lane-none">The speech appears here, with a lane under it in which you set how it feels. Until then, press a face to see it.</p>
            )}
          </div>
          {!onFilm && (
            <div class="inspector">
              <Faces />
              {speech.value && <PointEditor />}
            </div>
          )}
          {speech.value && <TrackText />}
        </section>
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
