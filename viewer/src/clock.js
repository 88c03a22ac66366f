// The time that several figures share.
export const SPEEDS = [0.25, 0.5, 1, 2];
const PAUSE_AT_END = 1; // seconds, before a replay starts over
const STILL = 200; // ms without a change, after which a picture is drawn well

/** A clock: it plays, stops and jumps, and its members draw its time, in seconds. */
export class Clock extends EventTarget {
  constructor() {
    super();
    this.time = 0;
    this.speed = 1;
    this.isPlaying = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.isFollowing = true;
    this.showsContacts = true;
    this.members = new Set();
    this.views = new Map();
    this.loading = 0;
    this.isStirred = false;
    this.atEnd = 0;
    this.last = null;
    this.frame = null;
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  /** The longest episode of the members, in seconds. */
  get duration() {
    return Math.max(0, ...[...this.members].map((member) => member.seconds));
  }

  /** The shortest time between two frames, in seconds. */
  get step() {
    const steps = [...this.members].map((member) => member.frameLength);
    return steps.length ? Math.min(...steps) : 1 / 30;
  }

  add(member) {
    this.members.add(member);
    this.changed();
  }

  remove(member) {
    this.members.delete(member);
    this.changed();
  }

  /** Draw nothing during some work: figures that play would slow down those that still load. */
  async pauseDuring(work) {
    this.loading += 1;
    try {
      await work();
    } finally {
      this.loading -= 1;
      this.refresh();
    }
  }

  /** Return what figures of the same scene share on this clock. */
  viewOf(scene, make) {
    if (!this.views.has(scene)) this.views.set(scene, make());
    return this.views.get(scene);
  }

  /** Put the camera back to where it was at first. */
  resetViews() {
    for (const view of this.views.values()) view.reset();
    this.refresh();
  }

  /** Play or stop. */
  play(isPlaying = true) {
    if (isPlaying && this.time >= this.duration) this.time = 0;
    this.isPlaying = isPlaying;
    this.changed();
  }

  /** Jump to a time; it goes on playing if it does. */
  seek(time) {
    this.time = Math.min(this.duration, Math.max(0, time));
    this.atEnd = 0;
    this.stir();
  }

  /** Stop, and go some frames forward or back. */
  stepBy(frames) {
    this.play(false);
    this.seek((Math.round(this.time / this.step) + frames) * this.step);
  }

  /** Choose the next faster (1) or slower (-1) speed. */
  changeSpeed(by) {
    const index = SPEEDS.indexOf(this.speed) + by;
    this.speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))];
    this.changed();
  }

  /** Tell the controls that a setting changed, and draw again. */
  changed() {
    this.dispatchEvent(new Event("change"));
    this.refresh();
  }

  /** Draw soon, roughly where a CPU draws; and well when nothing has moved for a moment. */
  stir() {
    clearTimeout(this.stillness);
    this.isStirred = true;
    this.stillness = setTimeout(() => {
      this.isStirred = false;
      this.refresh();
    }, STILL);
    this.refresh();
  }

  /** Whether pictures change from frame to frame. */
  get moves() {
    return this.isPlaying || this.isStirred;
  }

  /** Draw once soon; and again and again while it plays and can be seen. */
  refresh() {
    if (this.frame === null) this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    this.frame = null;
    if (this.loading > 0) return;
    const seen = [...this.members].filter((member) => member.isVisible);
    const runs = this.isPlaying && seen.length > 0 && !document.hidden && this.duration > 0;
    if (runs && this.last !== null) this.advance(Math.min(0.25, (now - this.last) / 1000));
    this.last = runs ? now : null;
    for (const member of seen) member.draw(this.time);
    this.dispatchEvent(new Event("time"));
    if (runs) this.refresh();
  }

  advance(seconds) {
    this.time += seconds * this.speed;
    if (this.time < this.duration) return;
    this.time = this.duration;
    this.atEnd += seconds;
    if (this.atEnd < PAUSE_AT_END) return;
    this.time = 0;
    this.atEnd = 0;
  }
}

const clocks = new Map();

/** Draw all figures again. */
export function refreshClocks() {
  for (const clock of clocks.values()) clock.refresh();
}

/** Return the clock of this name; the same one for the same name. */
export function clockNamed(name) {
  if (!clocks.has(name)) clocks.set(name, new Clock());
  return clocks.get(name);
}
