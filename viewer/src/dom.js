// Elements made from text: nothing that a pack says becomes markup.

/** Make an element with attributes and children; a string becomes a text node. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Make a button whose picture is a path in a 16 × 16 square. */
export function iconButton(label, path, action) {
  const button = element("button", { type: "button", title: label, "aria-label": label });
  button.append(icon(path));
  button.addEventListener("click", action);
  return button;
}

/** Make a picture from a path in a 16 × 16 square. */
export function icon(path) {
  const made = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = made("svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const shape = made("path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}
