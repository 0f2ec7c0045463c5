// Building and changing elements: text is always set as text, so that a run's name can hold no markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with a class, text and children. */
export function el(tag, className, content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  add(node, content);
  return node;
}

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, content) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  add(node, content);
  return node;
}

function add(node, content) {
  if (content === undefined || content === null) return;
  for (const child of [content].flat()) node.append(child); // a string becomes a text node
}

/** Sets text only where it changed, so that a frame touches nothing that stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Moves an element without layout. */
export function moveTo(node, x, y) {
  node.style.transform = `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px)`;
}

/** 10 with the exponent raised, as SVG text content. */
export function powerOfTen(value) {
  const [mantissa, exponent] = value.toExponential().split("e");
  const base = mantissa === "1" ? "10" : `${mantissa}·10`;
  return [base, svg("tspan", { dy: "-0.42em", class: "bc-power" }, String(Number(exponent)))];
}

/** Whether a colour (`#rgb`, `#rrggbb` or `rgb(...)`) is dark, to choose the chart's own accent and bands. */
export function isDark(colour) {
  const text = colour.trim();
  const short = /^#[0-9a-f]{3}$/i.test(text) ? text.slice(1).replace(/./g, "$&$&") : text.slice(1, 7);
  const parts = text.startsWith("#") ? short.match(/../g).map((pair) => parseInt(pair, 16)) : text.match(/[\d.]+/g)?.map(Number);
  const [r, g, b] = parts ?? [255, 255, 255];
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
