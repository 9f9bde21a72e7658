import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

/** Where the package carries the built page. */
const PAGE = "../src/evp/studio/page";

export default defineConfig({
  base: "./",
  plugins: [{ name: "sources", transformIndexHtml: (html) => html.replace("%SOURCES%", sources()) }],
  build: { outDir: PAGE, emptyOutDir: true, target: "es2022", cssTarget: ["chrome123", "firefox121", "safari17.5"] },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8765", changeOrigin: true } } },
  test: { include: ["src/**/*.test.ts"] },
});

/** SHA-256 of all that the page is built from; a test compares it, so a page that was not built anew is found. */
function sources(): string {
  const hash = createHash("sha256");
  const files = ["src", "public"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).replaceAll("\\", "/")),
  );
  for (const file of [...files, "index.html", "package-lock.json", "vite.config.ts"].sort()) {
    hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}
