// The page's colours as the pictures need them. CSS variables decide; see style.css of the report.
const dark = matchMedia("(prefers-color-scheme: dark)");
const SERIES = ["#2a6fdb", "#d9622b", "#2c9a62", "#8a4fc7", "#c28a00", "#d1437f", "#1997a8", "#77756f"];
const SKIES = { light: "#e6ecf2", dark: "#1a2028" };
const TILES = { light: [[222, 228, 234], [203, 211, 219]], dark: [[50, 58, 68], [40, 47, 56]] };

/** Return the colours of the page now. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name, fallback) => style.getPropertyValue(`--${name}`).trim() || fallback;
  const mode = dark.matches ? "dark" : "light";
  return {
    isDark: dark.matches,
    sky: SKIES[mode],
    tiles: TILES[mode],
    text: colour("text", dark.matches ? "#e8ebef" : "#1c2128"),
    muted: colour("muted", "#7a838e"),
    line: colour("line", dark.matches ? "#3a424d" : "#d5dbe2"),
    accent: colour("accent", "#2a6fdb"),
    good: colour("good", "#2c9a62"),
    bad: colour("bad", "#d4483b"),
    series: SERIES.map((fallback, i) => colour(`series-${i + 1}`, fallback)),
  };
}

/** Call `listener` when the page changes between light and dark. */
export function onThemeChange(listener) {
  dark.addEventListener("change", listener);
}
