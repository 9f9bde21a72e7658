const FIGURES: readonly (readonly [string, string, (value: number) => string])[] = [
  ["face_psnr", "Face", (value) => `${value.toFixed(1)} dB`],
  ["face_ssim", "Face, SSIM", (value) => value.toFixed(3)],
  ["mouth_psnr", "Mouth", (value) => `${value.toFixed(1)} dB`],
  ["mouth_ssim", "Mouth, SSIM", (value) => value.toFixed(3)],
  ["flicker", "Flicker, of the footage's", (value) => value.toFixed(2)],
];

/** How well a portrait makes frames that it never saw. */
export function Figures({ heldOut }: { heldOut: Record<string, number> }) {
  return (
    <dl class="figures">
      {FIGURES.filter(([key]) => Number.isFinite(heldOut[key])).map(([key, name, show]) => (
        <div key={key}>
          <dt>{name}</dt>
          <dd>{show(heldOut[key] as number)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Which footage was not used, and why. */
export function LeftOut({ spans }: { spans: readonly string[] }) {
  if (spans.length === 0) return null;
  return (
    <>
      <p>Left out:</p>
      <ul class="left-out">
        {spans.map((span) => (
          <li key={span}>{span}</li>
        ))}
      </ul>
    </>
  );
}
