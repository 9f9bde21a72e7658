/** Recording with the microphone or the camera, by the browser's own recorder. */

export interface Recording {
  stream: MediaStream;
  /** How loud it is now, 0..1. */
  level: () => number;
  stop: () => Promise<File>;
  /** Ends without a result. */
  drop: () => void;
}

const SOUNDS = ["audio/webm;codecs=opus", "audio/webm", "audio/mp4"];
const FILMS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** Raises an Error whose message is for the user. */
export async function record(what: "sound" | "film"): Promise<Recording> {
  const stream = await open(what);
  const type = (what === "sound" ? SOUNDS : FILMS).find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
  const recorder = new MediaRecorder(stream, { ...(type ? { mimeType: type } : {}), ...(what === "film" ? { videoBitsPerSecond: 12e6 } : {}) });
  const pieces: Blob[] = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.start(1000);
  const meter = what === "sound" ? soundMeter(stream) : { level: () => 0, close: () => undefined };
  const end = (): void => {
    for (const track of stream.getTracks()) track.stop();
    meter.close();
  };
  return {
    stream,
    level: meter.level,
    stop: () =>
      new Promise((resolve) => {
        recorder.onstop = () => {
          end();
          const ending = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
          resolve(new File(pieces, `${what === "sound" ? "speech" : "camera"}.${ending}`, { type: recorder.mimeType }));
        };
        recorder.stop();
      }),
    drop: () => {
      recorder.onstop = null;
      if (recorder.state !== "inactive") recorder.stop();
      end();
    },
  };
}

async function open(what: "sound" | "film"): Promise<MediaStream> {
  const device = what === "sound" ? "microphone" : "camera";
  // Browsers hide both from pages that came over plain http from another machine.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices || typeof MediaRecorder === "undefined") {
    throw new Error(`The browser lets a page use the ${device} only on this machine itself or over https.`);
  }
  try {
    return await devices.getUserMedia(
      what === "sound"
        ? { audio: { echoCancellation: false, noiseSuppression: false } }
        : { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25 }, facingMode: "user" } },
    );
  } catch (error) {
    const refused = error instanceof DOMException && error.name === "NotAllowedError";
    throw new Error(
      refused
        ? `The browser does not let this page use the ${device}: allow it in the address bar, and try again.`
        : `There is no ${device} that can be used.`,
    );
  }
}

function soundMeter(stream: MediaStream): { level: () => number; close: () => void } {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      return Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 5));
    },
    close: () => void context.close(),
  };
}
