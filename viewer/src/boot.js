// Finds the replays of a page, and loads each when it comes near to what is seen.
import { clockNamed } from "./clock.js";
import { Controls } from "./controls.js";
import { element } from "./dom.js";
import { ReplayError } from "./errors.js";
import { Figure } from "./figure.js";
import { readReplay } from "./replay_record.js";
import { SceneModel } from "./scene.js";
import { readScene } from "./scene_record.js";
import css from "./style.css";
import { load } from "./unpack.js";

const NEAR = "400px";
const scenes = new Map();
const figures = new WeakMap();

const loading = new IntersectionObserver(whenNear, { rootMargin: NEAR });
const visibility = new IntersectionObserver(whenSeen);

function whenNear(entries) {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    loading.unobserve(entry.target);
    show(entry.target);
  }
}

function whenSeen(entries) {
  for (const entry of entries) {
    const figure = figures.get(entry.target);
    figure.isVisible = entry.isIntersecting;
    if (figure.isVisible) figure.clock.refresh();
    else if (!entry.target.isConnected) figure.clock.remove(figure);
  }
}

async function show(root) {
  root.setAttribute("aria-busy", "true");
  try {
    const scene = await sceneOf(root.dataset.scene);
    const bytes = await load(root.dataset.replay);
    await clockOf(root).pauseDuring(async () => {
      const replay = await readReplay(bytes, scene.record.bodies.length);
      figures.set(root, new Figure(root, scene, replay, clockOf(root)));
    });
    visibility.observe(root);
    countReady();
  } catch (error) {
    showError(root, error);
  } finally {
    root.removeAttribute("aria-busy");
  }
}

const clockOf = (root) => clockNamed(root.dataset.clock || root.dataset.replay);

// All figures of a run name the same scene: it is read once.
function sceneOf(source) {
  if (!scenes.has(source)) {
    const made = load(source).then(readScene).then((record) => new SceneModel(record));
    scenes.set(source, made);
  }
  return scenes.get(source);
}

function countReady() {
  const { dataset } = document.documentElement;
  dataset.replays = String(Number(dataset.replays || 0) + 1);
}

function showError(root, error) {
  const isOurs = error instanceof ReplayError;
  if (!isOurs) console.error(error);
  const text = isOurs ? error.message : "This replay cannot be shown: the viewer has an error.";
  root.append(element("p", { class: "replay-error", role: "status" }, text));
}

/** Set up the figures and controls in a part of the page that were not there before. */
function scan(root = document) {
  for (const controls of root.querySelectorAll(".replay-controls[data-clock]")) {
    if (controls.childElementCount === 0) new Controls(controls, clockNamed(controls.dataset.clock));
  }
  for (const figure of root.querySelectorAll("figure.replay")) {
    if (figure.dataset.state) continue;
    figure.dataset.state = "found";
    loading.observe(figure);
  }
}

function start() {
  const sheet = new CSSStyleSheet(); // a page's policy may forbid style elements
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  document.documentElement.dataset.replays = "0";
  scan();
}

window.eurekaReplay = { scan, clock: clockNamed };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
