const PATHS = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8 5.5v13M16 5.5v13",
  undo: "M9 7 4.500 11.500 9 16M5 11.500h9a5 5 0 0 1 0 10h-2",
  redo: "m15 7 4.500 4.500L15 16M19 11.500h-9a5 5 0 0 0 0 10h2",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  trash: "M4.500 7h15M9.500 7V4.500h5V7M6.500 7l1 12.500h9L17.500 7M10.500 11v5M13.500 11v5",
  download: "M12 4v11M7 10.500l5 5 5-5M5 19.500h14",
  repeat: "M4 12a8 8 0 0 1 13.500-5.800L20 8.500M20 4v4.500h-4.500M20 12a8 8 0 0 1-13.500 5.800L4 15.500M4 20v-4.500h4.500",
  pencil: "M4 20l1-4.500L16.500 4 20 7.500 8.500 19z",
  microphone: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3.500",
  camera: "M4 7.500h10.500v9H4zM14.500 10.500l5.500-3v9l-5.500-3",
  file: "M12 15.500v-11M7.500 9 12 4.500 16.500 9M5 19.500h14",
  ear: "M7 9a5 5 0 1 1 10 0c0 4-3.500 4-3.500 7.500a3 3 0 0 1-5.500 1.700M10 9.500a2 2 0 1 1 4 0",
  keys: "M3.500 7h17v10h-17zM7 10.500h.01M10.500 10.500h.01M14 10.500h.01M17 10.500h.01M8.500 14h7",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M19.500 14A8 8 0 0 1 10 4.500a8 8 0 1 0 9.500 9.500z",
  half: "M12 4a8 8 0 1 1 0 16zM12 4a8 8 0 1 0 0 16",
  check: "M5 12.500l4.500 4.500L19 7.500",
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside or in place of a name that is said otherwise. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" data-solid={name === "play" ? "" : undefined}>
      <path d={PATHS[name]} />
    </svg>
  );
}
