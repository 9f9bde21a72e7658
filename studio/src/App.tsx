import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { FilmScreen } from "./film/FilmScreen";
import { keysShown } from "./film/keys";
import { IconButton } from "./parts/Parts";
import { percent } from "./parts/words";
import { PortraitScreen } from "./portraits/PortraitScreen";
import { UNREACHABLE } from "./api/client";
import { activeFilms, announcement, builds, connection, version } from "./state";
import { isOver } from "./api/types";
import { nextTheme, theme } from "./theme";

const screen = signal(location.hash);
addEventListener("hashchange", () => {
  screen.value = location.hash;
  scrollTo(0, 0);
});

const THEME_ICONS = { system: "half", light: "sun", dark: "moon" } as const;

export function App() {
  const onPortraits = screen.value.startsWith("#/portraits");
  const rendering = activeFilms.value.find((job) => job.state === "running" && job.total > 0);
  const building = builds.value.filter((job) => !isOver(job)).length;
  useEffect(() => {
    const name = onPortraits ? "Portraits · evp studio" : "evp studio";
    document.title = rendering ? `${percent(rendering.done / rendering.total)} · ${name}` : name;
  });
  if (connection.value === "locked") return <Locked />;
  return (
    <>
      <header class="top">
        <a class="brand" href="#/" aria-label="evp studio"><Mark /><span>evp <em>studio</em></span></a>
        <nav aria-label="Screens">
          <a href="#/" aria-current={onPortraits ? undefined : "page"}>Film</a>
          <a href="#/portraits" aria-current={onPortraits ? "page" : undefined}>
            Portraits{building > 0 && <span class="count" aria-label={`${building} being built`}>{building}</span>}
          </a>
        </nav>
        <span class="gap" />
        {!onPortraits && <IconButton icon="keys" name="Keys" hint="?" class="only-wide" onClick={() => (keysShown.value = true)} />}
        <IconButton icon={THEME_ICONS[theme.value]} name={`Colours: ${theme.value}`} onClick={nextTheme} />
      </header>
      <div role="alert">
        {connection.value === "lost" && <p class="banner">{UNREACHABLE} Trying again…</p>}
      </div>
      {onPortraits ? <PortraitScreen /> : <FilmScreen />}
      <footer class="bottom">
        <p>Every film says in its metadata that it was generated. Tell viewers what they see.</p>
        <p>{version.value && `evp ${version.value} · `}<a href="/api/docs">API</a></p>
      </footer>
      <p class="unseen" aria-live="polite">{announcement.value}</p>
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" class="mark">
      <path d="M3 22c5 0 5-11 10-11s4 7 7 7 4-10 9-10" />
      <circle cx="13" cy="11" r="3.500" />
      <circle cx="20" cy="18" r="3.500" />
    </svg>
  );
}

/** The studio listens on other addresses than this machine's own, so it wants its token. */
function Locked() {
  return (
    <main class="locked">
      <Mark />
      <h1>This studio needs its token</h1>
      <p>It was shown once where <code>evp studio</code> was started, at the end of the address.</p>
      <form method="get" action="/">
        <label class="field"><span>Token</span><input name="token" type="password" required autocomplete="off" /></label>
        <button type="submit" class="strong">Open</button>
      </form>
    </main>
  );
}
