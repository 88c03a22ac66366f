// The keyboard on a picture and on the controls.
const TURN = 0.12; // rad

const ACTIONS = {
  " ": (clock) => clock.play(!clock.isPlaying),
  ArrowLeft: (clock) => clock.stepBy(-1),
  ArrowRight: (clock) => clock.stepBy(1),
  PageUp: (clock) => clock.seek(clock.time - 1),
  PageDown: (clock) => clock.seek(clock.time + 1),
  Home: (clock) => clock.seek(0),
  End: (clock) => clock.seek(clock.duration),
  "+": (clock) => clock.changeSpeed(1),
  "-": (clock) => clock.changeSpeed(-1),
};
const TURNS = {
  ArrowLeft: (view) => view.turn(TURN, 0),
  ArrowRight: (view) => view.turn(-TURN, 0),
  ArrowUp: (view) => view.turn(0, TURN),
  ArrowDown: (view) => view.turn(0, -TURN),
};
const OWN_KEYS = { SELECT: /./, BUTTON: /^( |Enter)$/, INPUT: /^(Arrow|Home|End|Page)/ };

export const HELP =
  "Space: play or pause. Left, right: one frame. Page up, page down: one second. Home, End: start," +
  " end. Plus, minus: speed. Shift and arrows: turn the camera.";

/** Return a listener for a clock's keys, and for those that turn a view if there is one. */
export function keysFor(clock, view = null) {
  return (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (OWN_KEYS[event.target.tagName]?.test(event.key)) return; // the element uses it itself
    const turn = event.shiftKey && view ? TURNS[event.key] : undefined;
    const action = ACTIONS[event.key];
    if (turn) turn(view);
    else if (action) action(clock);
    else return;
    event.preventDefault();
    clock.stir();
  };
}
