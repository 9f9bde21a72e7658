import { useEffect, useRef, useState } from "preact/hooks";
import { upload } from "../api/client";
import type { Speech } from "../api/types";
import { Icon } from "../parts/Icon";
import { DropZone } from "../parts/DropZone";
import { Bar, Complaint, IconButton, Panel } from "../parts/Parts";
import { record, type Recording } from "../parts/record";
import { clockTime, percent, size, span } from "../parts/words";
import { announce, limits, sentence, speech, takeSpeech } from "../state";
import { pauseAll } from "./transport";

const ACCEPTED = "audio/*,video/*";

export function SpeechChoice() {
  const [sending, setSending] = useState<{ name: string; part: number; stop: AbortController } | null>(null);
  const [recording, setRecording] = useState<Recording | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const busy = useRef<AbortController | null>(null);
  const said = speech.value;

  const send = async (file: File): Promise<void> => {
    pauseAll();
    busy.current?.abort();
    const stop = new AbortController();
    busy.current = stop;
    setProblem(null);
    const most = limits.peek()?.speech_bytes ?? Infinity;
    if (file.size > most) return setProblem(`${file.name} has ${size(file.size)}; at most ${size(most)} of speech can be taken.`);
    setSending({ name: file.name, part: 0, stop });
    const form = new FormData();
    form.append("file", file);
    try {
      const taken = await upload<Speech>("/api/speech", form, (part) => setSending({ name: file.name, part, stop }), stop.signal);
      takeSpeech(taken);
      announce(`${taken.name}, ${span(taken.seconds)}`);
    } catch (error) {
      if (!(error instanceof DOMException)) setProblem(sentence(error));
    } finally {
      if (busy.current === stop) setSending(null);
    }
  };

  const begin = async (): Promise<void> => {
    pauseAll();
    setProblem(null);
    try {
      setRecording(await record("sound"));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  // A file dropped anywhere on this screen is speech.
  useEffect(() => {
    const carriesFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent): void => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      void send(file);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);

  return (
    <Panel title="Speech" step={2} id="speech" class={over ? "speech-choice dropping" : "speech-choice"}>
      {recording ? (
        <Recorder
          recording={recording}
          onFile={(file) => {
            setRecording(null);
            void send(file);
          }}
          onDrop={() => {
            recording.drop();
            setRecording(null);
          }}
        />
      ) : sending ? (
        <div class="sending">
          <p><strong>{sending.name}</strong></p>
          <Bar name="Upload" part={sending.part < 1 ? sending.part : null} says={sending.part < 1 ? percent(sending.part) : "reading the sound"} />
          <div class="sending-line">
            <span class="hint">{sending.part < 1 ? `${percent(sending.part)} sent` : "Reading the sound…"}</span>
            <button type="button" class="quiet" onClick={() => sending.stop.abort()}>Stop</button>
          </div>
        </div>
      ) : (
        <>
          {said && (
            <p class="speech-name">
              <strong title={said.name}>{said.name}</strong>
              <span>{clockTime(said.seconds)}</span>
            </p>
          )}
          <DropZone id="speech-file" accept={ACCEPTED} name={said ? "Choose another recording" : "Choose a recording: sound or video"} onFile={(file) => void send(file)}>
            <Icon name="file" />
            <span><strong>{said ? "Another file" : "Drop a recording here"}</strong>{!said && <br />}{!said && "or choose a file, sound or video"}</span>
          </DropZone>
          <button type="button" class="wide" onClick={() => void begin()}>
            <Icon name="microphone" /> Record
          </button>
        </>
      )}
      <Complaint text={problem} onClose={() => setProblem(null)} />
    </Panel>
  );
}

function Recorder({ recording, onFile, onDrop }: { recording: Recording; onFile: (file: File) => void; onDrop: () => void }) {
  const [since, setSince] = useState(0);
  const [level, setLevel] = useState(0);
  const stop = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const start = performance.now();
    const timer = setInterval(() => {
      setSince((performance.now() - start) / 1000);
      setLevel(recording.level());
    }, 80);
    stop.current?.focus();
    announce("Recording");
    return () => clearInterval(timer);
  }, [recording]);
  return (
    <div class="recorder">
      <p><span class="recording-dot" /> Recording <output class="time">{clockTime(since)}</output></p>
      <div class="meter" aria-hidden="true"><div style={{ width: `${level * 100}%` }} /></div>
      <div class="recorder-line">
        <button type="button" class="wide strong" ref={stop} onClick={() => void recording.stop().then(onFile)}>Stop and use it</button>
        <IconButton icon="trash" name="Throw it away" onClick={onDrop} />
      </div>
    </div>
  );
}
