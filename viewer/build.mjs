// Builds the viewer into one classic script, and writes the licences of what is inside next to it.
// Another folder can be named: node build.mjs FOLDER
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = process.argv[2] ?? here("../eureka_agent/report/html/assets");
const text = (path) => readFileSync(here(path), "utf8").trim();

// The hash of all sources: a test notices a viewer.js that was not built again.
function sourcesHash() {
  const names = readdirSync(here("src")).sort();
  const hash = createHash("sha256");
  for (const path of ["package-lock.json", "build.mjs", ...names.map((name) => `src/${name}`)]) {
    hash.update(`${path}\n`).update(readFileSync(here(path)));
  }
  return hash.digest("hex");
}

const three = JSON.parse(text("node_modules/three/package.json"));
const banner = [
  "/*!",
  " * The replay viewer of eureka_agent, built from viewer/ by `npm run build`.",
  ` * It contains three.js ${three.version} (MIT); see THIRD_PARTY_LICENSES.`,
  ` * sources: ${sourcesHash()}`,
  " */",
].join("\n");

await build({
  entryPoints: [here("src/boot.js")],
  outfile: resolve(folder, "viewer.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome103", "firefox113", "safari16.4"],
  loader: { ".css": "text" },
  legalComments: "none",
  banner: { js: banner },
});

const licence = `three.js ${three.version} (https://threejs.org), a part of viewer.js\n\n`;
const terms = `${text("node_modules/three/LICENSE")}\n`;
writeFileSync(resolve(folder, "THIRD_PARTY_LICENSES"), licence + terms);
