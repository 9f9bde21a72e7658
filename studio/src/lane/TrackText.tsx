import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import { announce, takeText, text } from "../state";

const PAUSE_MS = 350;

/** The lane as the text that `evp animate --emotion` takes; what is written here goes into the lane. */
export function TrackText() {
  const [written, setWritten] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  const waiting = useRef(0);

  // The lane was changed elsewhere: what is being written here gives way.
  useEffect(() => {
    if (document.activeElement?.id === "lane-text") return;
    setWritten(null);
    setProblem(null);
  }, [text.value]);

  const take = async (description: string): Promise<void> => {
    clearTimeout(waiting.current);
    const complaint = await takeText(description);
    setProblem(complaint);
  };
  const finish = async (): Promise<void> => {
    if (written === null) return;
    clearTimeout(waiting.current);
    const complaint = await takeText(written);
    setProblem(complaint);
    if (complaint === null) setWritten(null);
  };
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text.peek());
    setCopied(true);
    announce("Copied");
    setTimeout(() => setCopied(false), 1500);
  };

  return (
    <div class="track-text">
      <label for="lane-text">As text, for <code>evp animate --emotion</code></label>
      <div class="track-text-line">
        <input
          id="lane-text"
          type="text"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={written ?? text.value}
          aria-invalid={problem !== null}
          aria-describedby="lane-text-problem"
          onInput={(event) => {
            const description = event.currentTarget.value;
            setWritten(description);
            clearTimeout(waiting.current);
            waiting.current = window.setTimeout(() => void take(description), PAUSE_MS);
          }}
          onKeyDown={(event) => event.key === "Enter" && void finish()}
          onBlur={() => void finish()}
        />
        {isSecureContext && (
          <button type="button" class="quiet" onClick={() => void copy()} aria-label="Copy the text">
            {copied ? <Icon name="check" /> : "Copy"}
          </button>
        )}
      </div>
      <p id="lane-text-problem" class="problem" role="status">{problem}</p>
    </div>
  );
}
