import { useEffect, useRef, useState } from "preact/hooks";
import { upload } from "../api/client";
import type { Job } from "../api/types";
import { DropZone } from "../parts/DropZone";
import { Icon } from "../parts/Icon";
import { Bar, Complaint, Panel } from "../parts/Parts";
import { record, type Recording } from "../parts/record";
import { percent, size } from "../parts/words";
import { announce, limits, sentence, takeBuild } from "../state";
import { Camera } from "./Camera";
import { missing, statement } from "./consent";

export function BuildForm() {
  const [footage, setFootage] = useState<File | null>(null);
  const [recording, setRecording] = useState<Recording | null>(null);
  const [name, setName] = useState("");
  const [who, setWho] = useState("");
  const [when, setWhen] = useState("");
  const [how, setHow] = useState("");
  const [sure, setSure] = useState(false);
  const [quick, setQuick] = useState(true);
  const [part, setPart] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const preview = useObjectUrl(footage);
  const today = new Date().toISOString().slice(0, 10);
  const agreement = { who, when, how };

  const film = async (): Promise<void> => {
    setProblem(null);
    try {
      setRecording(await record("film"));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const lacks = (!footage && "Give a video of the person first.") || missing(agreement, today) || (!sure && "Confirm that the person shown has agreed.");
    if (lacks || !footage) return setProblem(lacks || null);
    const most = limits.peek()?.footage_bytes ?? Infinity;
    if (footage.size > most) return setProblem(`${footage.name} has ${size(footage.size)}; at most ${size(most)} of footage can be taken.`);
    setProblem(null);
    setPart(0);
    const form = new FormData();
    form.append("file", footage);
    form.append("name", name.trim() || who.trim());
    form.append("consent", statement(agreement));
    form.append("quick", String(quick));
    try {
      takeBuild(await upload<Job>("/api/portraits", form, setPart));
      announce("The portrait is being built");
      setFootage(null);
      setName("");
      setWho("");
      setWhen("");
      setHow("");
      setSure(false);
      document.getElementById("builds")?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      setProblem(sentence(error));
    } finally {
      setPart(null);
    }
  };

  return (
    <Panel title="New portrait" id="new-portrait" class="build-form">
      <form onSubmit={(event) => void send(event)} noValidate>
        <fieldset>
          <legend>Footage</legend>
          {recording ? (
            <Camera
              recording={recording}
              onFile={(file) => {
                setRecording(null);
                setFootage(file);
              }}
              onDrop={() => {
                recording.drop();
                setRecording(null);
              }}
            />
          ) : (
            <div class="footage" data-given={footage !== null}>
              {preview !== null && <video src={preview} controls muted playsInline aria-label="The footage" />}
              <div class="footage-ways">
                <DropZone id="footage-file" accept="video/*" name={footage ? "Choose another video" : "Choose a video of one person"} onFile={setFootage}>
                  <Icon name="file" />
                  <span>{footage ? <strong class="cut">{footage.name}</strong> : <><strong>Drop a video here</strong> or choose a file</>}</span>
                </DropZone>
                <button type="button" class="wide" onClick={() => void film()}><Icon name="camera" /> Film with the camera</button>
              </div>
            </div>
          )}
          <p class="hint">One person who talks into the camera with a calm face, whole face visible, at least three seconds, better twenty.</p>
        </fieldset>
        <fieldset>
          <legend>Consent</legend>
          <p class="hint">Without it nothing is built. It is stored in the portrait, not in the films.</p>
          <div class="fields">
            <label class="field">
              <span>Who is shown and agreed</span>
              <input type="text" required autocomplete="name" value={who} onInput={(event) => setWho(event.currentTarget.value)} />
            </label>
            <label class="field">
              <span>When they agreed</span>
              <input type="date" required max={today} value={when} onInput={(event) => setWhen(event.currentTarget.value)} />
            </label>
            <label class="field field-wide">
              <span>How, and to what <em>(if you like)</em></span>
              <input type="text" placeholder="in writing, to films for our website" value={how} onInput={(event) => setHow(event.currentTarget.value)} />
            </label>
          </div>
          <label class="check">
            <input type="checkbox" required checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
            <span>I am this person, or this person has agreed that films of them saying what they never said are made.</span>
          </label>
        </fieldset>
        <fieldset>
          <legend>Portrait</legend>
          <label class="field">
            <span>Name of the portrait</span>
            <input type="text" maxLength={80} placeholder={who.trim() || "as the person"} value={name} onInput={(event) => setName(event.currentTarget.value)} />
          </label>
          <div class="options" role="radiogroup" aria-label="How it is built">
            <label class="option">
              <input type="radio" name="quick" checked={quick} onChange={() => setQuick(true)} />
              <span><strong>Quick</strong> About a minute. Good for trying.</span>
            </label>
            <label class="option">
              <input type="radio" name="quick" checked={!quick} onChange={() => setQuick(false)} />
              <span><strong>Full</strong> Some minutes: also learns this person's own look.</span>
            </label>
          </div>
        </fieldset>
        <Complaint text={problem} />
        {part !== null && <Bar name="Upload" part={part < 1 ? part : null} says={part < 1 ? percent(part) : "the studio reads the video"} />}
        <button type="submit" class="wide strong" disabled={part !== null || recording !== null}>
          {part === null ? "Build the portrait" : part < 1 ? `${percent(part)} sent` : "Reading the video…"}
        </button>
      </form>
    </Panel>
  );
}

function useObjectUrl(file: File | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  const made = useRef<string | null>(null);
  useEffect(() => {
    made.current = file && URL.createObjectURL(file);
    setUrl(made.current);
    return () => {
      if (made.current !== null) URL.revokeObjectURL(made.current);
    };
  }, [file]);
  return url;
}
