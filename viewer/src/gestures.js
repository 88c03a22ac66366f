// Mouse, touch and wheel on a picture. A vertical swipe and a wheel still scroll the page: the
// wheel zooms only with Ctrl or after a click into the picture.
const TURN = 0.008; // rad per pixel

/** Let a person move a view. `changed` is called after each movement. */
export function addGestures(element, view, changed) {
  const pointers = new Map();
  element.style.touchAction = "pan-y";

  element.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
    element.setPointerCapture(event.pointerId);
  });
  const forget = (event) => pointers.delete(event.pointerId);
  element.addEventListener("pointerup", forget);
  element.addEventListener("pointercancel", forget);
  element.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const others = [...pointers.values()].filter((each) => each !== before);
    pointers.set(event.pointerId, event);
    const height = element.clientHeight || 1;
    if (others.length === 1) {
      view.zoom(spread(before, others[0]) / Math.max(1, spread(event, others[0])));
      view.shift(-right / 2 / height, down / 2 / height);
    } else if (event.buttons & 2 || event.shiftKey) {
      view.shift(-right / height, down / height);
    } else {
      view.turn(right * TURN, down * TURN);
    }
    changed();
  });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("dblclick", () => {
    view.reset();
    changed();
  });
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && document.activeElement !== element) return;
      event.preventDefault();
      view.zoom(Math.exp(Math.sign(event.deltaY) * Math.min(0.2, Math.abs(event.deltaY) * 0.002)));
      changed();
    },
    { passive: false },
  );
}

function spread(first, second) {
  return Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY);
}
