// The curves under a picture: what each component of the reward pays, in step with the motion.
import { element } from "./dom.js";
import { Legend } from "./legend.js";
import { rangeOf, rounded } from "./range.js";
import { shown } from "./numbers.js";

const MARGIN = 6; // CSS pixels above and below the curves

/** The curves of one episode on an axis that all figures of the clock share. */
export class Curves {
  constructor(clock) {
    this.clock = clock;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.cursor = element("div", { class: "replay-cursor" });
    this.top = element("span");
    this.bottom = element("span");
    const axis = element("div", { class: "replay-axis" }, this.top, this.bottom);
    this.plot = element("div", { class: "replay-plot", title: "Click to go to a moment" });
    this.plot.append(this.canvas, this.cursor);
    const chart = element("div", { class: "replay-chart" }, axis, this.plot);
    this.legend = new Legend(() => this.redraw());
    this.element = element("div", { class: "replay-curves" }, chart, this.legend.element);
    this.duration = 1;
    this.addSeeking();
  }

  addSeeking() {
    const seek = (event) => {
      const box = this.plot.getBoundingClientRect();
      this.clock.seek(((event.clientX - box.left) / box.width) * this.duration);
    };
    this.plot.addEventListener("pointerdown", (event) => {
      this.plot.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.plot.addEventListener("pointermove", (event) => {
      if (this.plot.hasPointerCapture(event.pointerId)) seek(event);
    });
  }

  /** Show another episode. */
  use(episode) {
    this.episode = episode;
    this.legend.use(episode.series);
    this.element.hidden = episode.series.length === 0;
    this.redraw();
  }

  /** Take over the page's colours. */
  paint(colours) {
    this.colours = colours;
    this.legend.paint(colours);
    this.redraw();
  }

  /** Move the cursor to a time (s), and show the values then. */
  draw(time, duration) {
    const isStale =
      duration !== this.duration ||
      this.plot.clientWidth !== this.drawnWidth ||
      devicePixelRatio !== this.drawnRatio;
    if (isStale) {
      this.duration = duration || 1;
      this.redraw();
    }
    this.cursor.style.left = `${(100 * time) / this.duration}%`;
    const frame = Math.floor(time / this.episode.frameLength + 1e-6);
    this.legend.show(frame < this.episode.frames ? frame : this.episode.frames - 1);
  }

  redraw() {
    if (!this.episode || !this.colours || !this.plot.clientWidth) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [this.plot.clientWidth, this.plot.clientHeight];
    Object.assign(this, { drawnWidth: width, drawnRatio: devicePixelRatio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const visible = this.legend.visible;
    const paid = visible.filter((line) => line.series.kind !== "fitness");
    const range = rangeOf(paid.length ? paid : visible);
    this.top.textContent = shown(rounded(range.high, range));
    this.bottom.textContent = shown(rounded(range.low, range));
    this.drawZero(context, width, height, range);
    for (const line of visible) {
      const own = line.series.kind === "fitness" ? rangeOf([line]) : range;
      this.drawLine(context, line, own, width, height);
    }
  }

  drawZero(context, width, height, range) {
    const y = yOf(0, range, height);
    context.strokeStyle = this.colours.line;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }

  // At most one smallest and one largest value for each column of pixels: an episode may have
  // thousands of frames.
  drawLine(context, line, range, width, height) {
    const { values } = line.series;
    const columns = Math.max(1, Math.ceil(width * 2));
    const perFrame = (width * this.episode.frameLength) / this.duration;
    const group = Math.max(1, Math.ceil((values.length / columns) * 2));
    context.strokeStyle = line.colour;
    context.lineWidth = line.series.kind === "reward" ? 1.2 : 1.6;
    context.setLineDash(line.dashes);
    context.lineJoin = "round";
    context.beginPath();
    let isDown = false;
    const put = (frame) => {
      const y = yOf(values[frame], range, height);
      if (isDown) context.lineTo(frame * perFrame, y);
      else context.moveTo(frame * perFrame, y);
      isDown = true;
    };
    for (let start = 0; start < values.length; start += group) {
      const ends = extremes(values, start, Math.min(values.length, start + group));
      if (ends.length === 0) isDown = false; // no number here: the line has a gap
      ends.forEach(put);
    }
    context.stroke();
  }
}

function extremes(values, start, end) {
  let [low, high] = [-1, -1];
  for (let i = start; i < end; i++) {
    if (!Number.isFinite(values[i])) continue;
    if (low < 0 || values[i] < values[low]) low = i;
    if (high < 0 || values[i] > values[high]) high = i;
  }
  if (low < 0) return [];
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}

function yOf(value, range, height) {
  const part = (value - range.low) / (range.high - range.low);
  const inside = Math.min(1.2, Math.max(-0.2, part)); // beyond the picture, but not far
  return height - MARGIN - inside * (height - 2 * MARGIN);
}
