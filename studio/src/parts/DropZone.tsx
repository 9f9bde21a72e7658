import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  accept: string;
  name: string;
  onFile: (file: File) => void;
  children: ComponentChildren;
}

/** A file chosen, or dropped here. */
export function DropZone({ id, accept, name, onFile, children }: Props) {
  const [over, setOver] = useState(false);
  return (
    <label
      class="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file) onFile(file);
      }}
    >
      <input
        id={id}
        type="file"
        class="unseen"
        accept={accept}
        aria-label={name}
        onChange={(event) => {
          const input = event.currentTarget;
          const file = input.files?.[0];
          input.value = "";
          if (file) onFile(file);
        }}
      />
      {children}
    </label>
  );
}
