// The names and the values of curves. A click on a name hides its curve.
import { element } from "./dom.js";
import { shown } from "./numbers.js";

const DASHES = [[], [5, 3], [1.5, 2.5]];
const PAUSE = 80; // ms between changes of the values while it plays

/** One entry for each curve. */
export class Legend {
  constructor(changed) {
    this.changed = changed;
    this.element = element("ul", { class: "replay-legend", "aria-label": "Reward at this moment" });
    this.lines = [];
    this.hidden = new Set();
    this.shownAt = 0;
  }

  get visible() {
    return this.lines.filter((line) => !this.hidden.has(line.series.name));
  }

  /** Show the curves of another episode; what was hidden stays hidden. */
  use(series) {
    let place = 0;
    this.lines = series.map((each) => {
      const isComponent = each.kind === "component";
      return new Line(each, isComponent ? place++ : -1, () => this.toggle(each.name));
    });
    this.element.replaceChildren(...this.lines.map((line) => line.element));
    this.mark();
    if (this.colours) this.paint(this.colours);
    this.frame = -1;
  }

  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    this.mark();
    this.changed();
  }

  mark() {
    for (const line of this.lines) {
      line.button.setAttribute("aria-pressed", String(!this.hidden.has(line.series.name)));
    }
  }

  paint(colours) {
    this.colours = colours;
    for (const line of this.lines) line.paint(colours);
  }

  /** Show the values of a frame. Too many changes a second cannot be read. */
  show(frame) {
    if (frame === this.frame) return;
    const now = performance.now();
    if (Math.abs(frame - this.frame) < 8 && now - this.shownAt < PAUSE) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.show(frame), PAUSE);
      return;
    }
    this.shownAt = now;
    this.frame = frame;
    for (const line of this.lines) line.value.textContent = shown(line.series.values[frame]);
  }
}

class Line {
  constructor(series, place, action) {
    this.series = series;
    this.place = place;
    this.swatch = element("span", { class: `replay-swatch ${series.kind}` });
    this.value = element("span", { class: "replay-value" });
    const title = series.kind === "component" ? series.name : `${series.name}: ${NOTES[series.kind]}`;
    const name = element("span", { class: "replay-name" }, ...breakable(series.name));
    this.button = element("button", { type: "button", title }, this.swatch, name, this.value);
    this.button.addEventListener("click", action);
    this.element = element("li", {}, this.button);
  }

  get dashes() {
    if (this.series.kind === "fitness") return [2, 3];
    return DASHES[Math.max(0, Math.floor(this.place / 8)) % DASHES.length];
  }

  paint(colours) {
    this.colour = this.place < 0 ? colours.text : colours.series[this.place % 8];
    if (this.series.kind === "fitness") this.colour = colours.muted;
    this.swatch.style.color = this.colour;
  }
}

// A name may be broken after its underscores.
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, element("wbr")]);
}

const NOTES = {
  reward: "the sum that the policy is trained with",
  fitness: "what the task measures, on a scale of its own",
};
