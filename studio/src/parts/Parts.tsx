import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./Icon";

/** What went wrong, in the server's words; said by screen readers at once. */
export function Complaint({ text, onClose }: { text: string | null; onClose?: () => void }) {
  return (
    <div role="alert">
      {text !== null && (
        <p class="complaint">
          <span>{text}</span>
          {onClose && <IconButton icon="close" name="Close the message" onClick={onClose} />}
        </p>
      )}
    </div>
  );
}

interface IconButtonProps {
  icon: IconName;
  name: string;
  onClick: () => void;
  disabled?: boolean;
  hint?: string;
  class?: string;
}

export function IconButton({ icon, name, onClick, disabled = false, hint, class: extra = "" }: IconButtonProps) {
  return (
    <button type="button" class={`icon-button ${extra}`} aria-label={name} title={hint ? `${name} (${hint})` : name} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** How far something is; without a `part`, that it goes on. */
export function Bar({ name, part, says }: { name: string; part: number | null; says?: string }) {
  const now = part === null ? {} : { "aria-valuenow": Math.round(part * 100) };
  return (
    <div class="bar" role="progressbar" aria-label={name} aria-valuemin={0} aria-valuemax={100} {...now} aria-valuetext={says} data-endless={part === null}>
      <div style={{ width: `${(part ?? 0.3) * 100}%` }} />
    </div>
  );
}

export function Panel(props: { title: string; step?: number; id: string; aside?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={`${props.id}-title`} id={props.id}>
      <header class="panel-header">
        <h2 id={`${props.id}-title`}>
          {props.step !== undefined && <span class="step" aria-hidden="true">{props.step}</span>}
          {props.title}
        </h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  value: T;
  choices: readonly { value: T; name: ComponentChildren; says?: string }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side: radio buttons. */
export function Segments<T extends string>({ name, value, choices, onChange }: ChoiceProps<T>) {
  return (
    <fieldset class="segments">
      <legend class="unseen">{name}</legend>
      {choices.map((choice) => (
        <label key={choice.value} title={choice.says}>
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChange(choice.value)} aria-label={choice.says} />
          <span>{choice.name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A window over the page. Escape and a click beside it close it. */
export function Dialog({ title, open, onClose, children }: { title: string; open: boolean; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      {open && (
        <div class="dialog">
          <header class="panel-header">
            <h2>{title}</h2>
            <IconButton icon="close" name="Close" onClick={onClose} />
          </header>
          {children}
        </div>
      )}
    </dialog>
  );
}
