// The controls of one clock: play, step, time, speed, follow, contacts, view.
import { SPEEDS } from "./clock.js";
import { element, icon, iconButton } from "./dom.js";
import { keysFor } from "./keys.js";
import { seconds } from "./numbers.js";

const ICONS = {
  play: "M4 2.5v11l9.5-5.5z",
  stop: "M3.5 2.5h3v11h-3z M9.5 2.5h3v11h-3z",
  back: "M3 2.5h2v11H3z M13 2.5v11L6 8z",
  forward: "M11 2.5h2v11h-2z M3 2.5v11L10 8z",
  view: "M8 2a6 6 0 1 0 6 6h-2a4 4 0 1 1-4-4v2.5L12.5 3 8-.5z",
};

/** Fill an element with a clock's controls. */
export class Controls {
  constructor(root, clock) {
    this.clock = clock;
    this.play = iconButton("Play", ICONS.play, () => clock.play(!clock.isPlaying));
    this.slider = element("input", { type: "range", min: "0", value: "0", "aria-label": "Time" });
    this.slider.addEventListener("input", () => {
      clock.play(false);
      clock.seek(Number(this.slider.value) * clock.step);
    });
    this.time = element("output", { class: "replay-time", "aria-live": "off" });
    this.follow = toggle("Follow", "The camera follows the robot", () => {
      clock.isFollowing = !clock.isFollowing;
      clock.changed();
    });
    this.contacts = toggle("Contacts", "Mark where bodies touch", () => {
      clock.showsContacts = !clock.showsContacts;
      clock.changed();
    });
    root.classList.add("replay-controls");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Replay controls");
    root.replaceChildren(...this.parts());
    root.addEventListener("keydown", keysFor(clock));
    clock.addEventListener("change", () => this.update());
    clock.addEventListener("time", () => this.updateTime());
    this.update();
  }

  parts() {
    const { clock } = this;
    const back = iconButton("One frame back", ICONS.back, () => clock.stepBy(-1));
    const forward = iconButton("One frame forward", ICONS.forward, () => clock.stepBy(1));
    const view = iconButton("First view", ICONS.view, () => clock.resetViews());
    const timeline = element("div", { class: "replay-timeline" });
    timeline.append(this.play, this.slider, this.time);
    const settings = element("div", { class: "replay-settings" }, back, forward);
    settings.append(this.speedSelect(), this.follow, this.contacts, view);
    return [timeline, settings];
  }

  speedSelect() {
    this.speed = element("select", { "aria-label": "Speed", title: "Speed" });
    for (const speed of SPEEDS) this.speed.add(new Option(`${speed}×`, speed));
    this.speed.addEventListener("change", () => {
      this.clock.speed = Number(this.speed.value);
      this.clock.changed();
    });
    return this.speed;
  }

  update() {
    const { clock } = this;
    const label = clock.isPlaying ? "Pause" : "Play";
    if (this.play.title !== label) {
      this.play.title = label;
      this.play.setAttribute("aria-label", label);
      this.play.replaceChildren(icon(clock.isPlaying ? ICONS.stop : ICONS.play));
    }
    this.speed.value = String(clock.speed);
    this.follow.setAttribute("aria-pressed", String(clock.isFollowing));
    this.contacts.setAttribute("aria-pressed", String(clock.showsContacts));
    const canFollow = [...clock.members].some((member) => member.canFollow);
    this.follow.hidden = !canFollow;
    this.contacts.hidden = ![...clock.members].some((member) => member.hasContacts);
    this.slider.max = String(Math.round(clock.duration / clock.step));
    this.updateTime();
  }

  updateTime() {
    const { time, duration, step } = this.clock;
    const text = `${seconds(time)} / ${seconds(duration)} s`;
    if (text === this.time.textContent) return;
    this.time.textContent = text;
    this.slider.value = String(Math.round(time / step));
    this.slider.setAttribute("aria-valuetext", `${seconds(time)} of ${seconds(duration)} seconds`);
  }
}

function toggle(label, title, action) {
  const button = element("button", { type: "button", title, "aria-pressed": "true" }, label);
  button.addEventListener("click", action);
  return button;
}
