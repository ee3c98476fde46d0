// Small helpers; text of people is only ever set as text.

export const at = id => document.getElementById(id);

export function make(tag, parent, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

export function drawing(parent, path, width, height) {
  const [svg, line] = ["svg", "path"].map(tag =>
    document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  line.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(line);
  parent.append(svg);
}

export const percent = share => Math.round(100 * share) + " %";

export const number = value => value.toFixed(2).replace("-", "−");

export function clock(time_s) {
  const tenths = Math.round(10 * time_s);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}` +
    `.${tenths % 10}`;
}
