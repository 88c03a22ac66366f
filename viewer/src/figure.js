// One figure: its picture, its curves and the choice of its episode.
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { element, iconButton } from "./dom.js";
import { addGestures } from "./gestures.js";
import { HELP, keysFor } from "./keys.js";
import { seconds, shown } from "./numbers.js";
import { Player } from "./player.js";
import { sharedRenderer } from "./renderer.js";
import { onThemeChange, theme } from "./theme.js";
import { View } from "./view.js";

const LARGE = "M2 2h5v2H4v3H2z M14 14H9v-2h3V9h2z";
const HINT = "Drag to turn; double-click for the first view; click, then turn the wheel to zoom.";
const NO_WEBGL =
  "This browser shows no 3-D pictures, because WebGL is switched off or missing." +
  " The curves below still show the episode.";

/** A replay in the page. Its clock asks it to draw. */
export class Figure {
  constructor(root, scene, replay, clock) {
    this.root = root;
    this.replay = replay;
    this.clock = clock;
    this.isVisible = true;
    this.canFollow = scene.record.camera.track >= 0;
    this.label = root.dataset.label || "replay";
    this.curves = new Curves(this.clock);
    this.status = element("p", { class: "replay-status" });
    this.end = element("span", { class: "replay-end" });
    this.picture = element("div", { class: "replay-picture" });
    this.addPicture(scene);
    this.addParts();
    const wanted = Number(root.dataset.episode) || 0;
    this.use(Math.min(replay.episodes.length - 1, Math.max(0, wanted)));
    this.paint();
    onThemeChange(() => this.paint());
    new ResizeObserver(() => this.clock.refresh()).observe(this.picture);
    this.clock.add(this);
  }

  get seconds() {
    return (this.episode.frames - 1) * this.episode.frameLength;
  }

  get frameLength() {
    return this.episode.frameLength;
  }

  get hasContacts() {
    return this.replay.episodes.some(({ contacts }) => contacts?.points.length > 0);
  }

  addPicture(scene) {
    const renderer = sharedRenderer();
    if (renderer === null) {
      this.picture.append(element("p", { class: "replay-error" }, NO_WEBGL));
      return;
    }
    const canvas = element("canvas", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "3-D replay",
      "aria-label": `${this.label}. ${HELP}`,
    });
    this.canvas = canvas;
    const view = this.clock.viewOf(scene, () => new View(scene.record.camera));
    this.player = new Player(canvas, scene, view, renderer);
    addGestures(canvas, view, () => this.clock.stir());
    canvas.addEventListener("keydown", keysFor(this.clock, view));
    this.picture.append(canvas, this.end, this.sizeButton());
  }

  sizeButton() {
    const button = iconButton("Large picture", LARGE, () => {
      const isLarge = this.root.classList.toggle("large");
      button.setAttribute("aria-pressed", String(isLarge));
    });
    button.className = "replay-large";
    button.setAttribute("aria-pressed", "false");
    return button;
  }

  addParts() {
    const caption = this.root.querySelector("figcaption");
    const head = element("div", { class: "replay-head" }, this.status);
    if (!caption) head.prepend(element("figcaption", {}, this.label));
    if (this.replay.episodes.length > 1) head.replaceChild(this.episodeSelect(), this.status);
    this.root.append(head, this.picture);
    const name = this.root.dataset.clock;
    const all = [...document.querySelectorAll(".replay-controls")];
    if (!name || !all.some((each) => each.dataset.clock === name)) this.addControls();
    this.root.append(this.curves.element);
  }

  addControls() {
    const root = element("div");
    this.root.append(root);
    new Controls(root, this.clock);
  }

  episodeSelect() {
    const label = `Episode of ${this.label}`;
    this.select = element("select", { class: "replay-episode", "aria-label": label, title: label });
    this.replay.episodes.forEach((each, i) => this.select.add(new Option(this.titleOf(each), i)));
    this.select.addEventListener("change", () => {
      this.use(Number(this.select.value));
      this.clock.seek(0);
    });
    return this.select;
  }

  titleOf(episode) {
    const unit = this.replay.unit ? ` ${this.replay.unit}` : "";
    const fitness = episode.fitness === null ? "" : `: ${shown(episode.fitness)}${unit}`;
    return `${episode.kind}${fitness}, ${episode.end}`;
  }

  use(index) {
    this.episode = this.replay.episodes[index];
    const title = this.titleOf(this.episode);
    this.status.textContent = title;
    if (this.select) this.select.value = String(index);
    this.end.textContent = `${this.episode.end} at ${seconds(this.episode.seconds)} s`;
    this.player?.use(this.episode);
    const goals = this.episode.goals.map((goal) => goal.name).join(", ");
    if (this.canvas) this.canvas.title = goals ? `${HINT} Green: ${goals}.` : HINT;
    this.curves.use(this.episode);
  }

  paint() {
    const colours = theme();
    this.player?.paint(colours);
    this.curves.paint(colours);
    this.clock.refresh();
  }

  /** Draw a time of the clock, in seconds. An episode that is over shows its last frame. */
  draw(time) {
    const { clock } = this;
    const inside = Math.min(time, this.seconds);
    this.end.classList.toggle("shown", time >= this.seconds && this.seconds > 0);
    this.player?.draw(inside, {
      isFollowing: clock.isFollowing,
      showsContacts: clock.showsContacts,
      moves: clock.moves,
    });
    this.curves.draw(inside, clock.duration);
  }
}
