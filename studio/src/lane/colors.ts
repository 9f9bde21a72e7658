/** A colour for every label: the style sheet has those that are shipped, others get one by their name. */

const SHIPPED = new Set(["angry", "calm", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised"]);

export function colorOf(label: string): string {
  if (SHIPPED.has(label)) return `var(--${label})`;
  let hue = 0;
  for (const letter of label) hue = (hue * 31 + letter.charCodeAt(0)) % 360;
  return `light-dark(hsl(${hue} 55% 48%), hsl(${hue} 60% 66%))`;
}
