// A choice between a few things that the chart is drawn for, such as devices. What each changes came with the payload, so
// that the chart, and every other on the page that offers the same choice, shows it in the frame in which it is made.

import { el } from "./dom.js";

const REST = 350; // ms after the last arrow key before Python is told
let last = 0;

/** A number for a word to Python, larger than that of every word before: Python says the last one it has heard. */
export function stamp() {
  last = Math.max(Date.now(), last + 1);
  return last;
}

/** The payload for one of its options: `parts` of an option hold what differs, lists of objects place by place (null: nothing). */
export function varied(payload, key) {
  const option = payload.choice?.options.find((one) => one.key === key);
  return option ? overlaid(payload, option.parts) : payload;
}

function overlaid(old, parts) {
  if (parts === null) return old;
  if (Array.isArray(parts)) {
    const places = Array.isArray(old) && old.length === parts.length && typeof old[0] === "object" && old[0] !== null;
    return places ? parts.map((part, i) => overlaid(old[i], part)) : parts;
  }
  if (typeof parts !== "object" || typeof old !== "object" || old === null) return parts;
  const out = { ...old };
  for (const [name, part] of Object.entries(parts)) out[name] = part === null ? null : overlaid(old[name], part);
  return out;
}

/** What is chosen, by the choice's label: one for all charts of the page. */
const picks = new Map();

/** The option chosen: ours until Python has heard of it, then Python's. */
export function heard(choice) {
  if (!choice) return null;
  const pick = picks.get(choice.label);
  if (pick?.n > choice.heard && choice.options.some((one) => one.key === pick.key)) return pick.key;
  picks.delete(choice.label);
  return choice.at;
}

/** Notes a choice made here. */
export function picked(label, key) {
  picks.set(label, { key, n: stamp() });
}

/** The choice made here and not heard of yet, as Python is told it. */
export function pickOf(label) {
  return picks.get(label);
}

/** Forgets what was chosen: no chart is left to show it. */
export function forget() {
  picks.clear();
}

/** A row of radio buttons. `choose(key)` shows an option at once, `commit()` tells Python of the one shown. */
export function makeChoice(choose, commit) {
  const label = el("span", "bc-choice-label");
  const row = el("div", "bc-choice-row");
  const node = el("div", "bc-choice", [label, row]);
  node.setAttribute("role", "radiogroup");
  let buttons = [];
  let timer = 0;
  const settle = () => {
    clearTimeout(timer);
    timer = 0;
    commit();
  };
  row.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const at = buttons.findIndex((button) => button.getAttribute("aria-checked") === "true");
    const next = buttons[(at + by + buttons.length) % buttons.length];
    choose(next.dataset.key);
    next.focus();
    clearTimeout(timer);
    timer = setTimeout(settle, REST);
  });
  row.addEventListener("focusout", (event) => timer && !row.contains(event.relatedTarget) && settle());
  const fill = (choice) => {
    node.hidden = !choice;
    if (!choice) return;
    node.setAttribute("aria-label", choice.label);
    label.textContent = choice.label;
    const same = buttons.length === choice.options.length && buttons.every((b, i) => b.dataset.key === choice.options[i].key);
    if (same) return; // a button that has the focus stays
    buttons = choice.options.map((option) => {
      const button = el("button", "bc-option", option.label);
      Object.assign(button, { type: "button" });
      button.dataset.key = option.key;
      button.setAttribute("role", "radio");
      button.addEventListener("click", () => {
        choose(option.key);
        settle();
      });
      return button;
    });
    row.replaceChildren(...buttons);
  };
  const mark = (key) => {
    for (const button of buttons) {
      const on = button.dataset.key === key;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  };
  return { node, fill, mark, waiting: () => timer !== 0, settle };
}
