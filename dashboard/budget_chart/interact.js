// Hands on the budget: pointers (mouse, pen, touch) with capture, keys on the handle, and the typed field.

import { parseBudget } from "./parse.js";

const NEAR = 12; // px within which the line is taken where it is, rather than brought under the pointer
const FINE = 0.02;
const COARSE = 0.2;
const SETTLE = 220; // ms after the last key before Python is told

/**
 * Lets `chart` be dragged from each of `surfaces`. `chart` offers: `budget` (log10), `range`, `xAt(at)`, `atX(clientX)`,
 * `begin()`, `show(at)`, `commit()` and `cancel()`.
 */
export function attachPointer(surfaces, chart, focus) {
  let drag = null;
  let frame = 0;
  const flush = () => {
    frame = 0;
    if (drag?.moved) chart.show(chart.atX(drag.clientX + drag.offset));
  };
  const end = () => {
    if (frame) cancelAnimationFrame(frame);
    frame = 0;
    drag = null;
  };
  const down = (event) => {
    if (drag || event.button !== 0 || !event.isPrimary) return;
    const distance = chart.clientX(chart.budget) - event.clientX;
    const onHandle = event.currentTarget.getAttribute("role") === "slider";
    const near = onHandle || Math.abs(distance) <= NEAR;
    drag = { id: event.pointerId, from: [event.clientX, event.clientY], clientX: event.clientX, offset: near ? distance : 0, near, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
    chart.begin();
    focus();
    // A finger may be about to scroll the page: it moves the line only once it has moved sideways, or has been lifted.
    if (event.pointerType !== "touch" && !near) {
      drag.moved = true;
      flush();
    }
    event.preventDefault();
  };
  const move = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    drag.clientX = event.clientX;
    if (Math.abs(event.clientX - drag.from[0]) > 2) drag.moved = true;
    if (!frame && drag.moved) frame = requestAnimationFrame(flush);
  };
  const up = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    drag.clientX = event.clientX;
    if (!drag.near) drag.moved = true; // a tap brings the line there
    flush();
    end();
    chart.commit();
  };
  const cancel = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    end();
    chart.cancel();
  };
  for (const surface of surfaces) {
    surface.addEventListener("pointerdown", down);
    surface.addEventListener("pointermove", move);
    surface.addEventListener("pointerup", up);
    surface.addEventListener("pointercancel", cancel);
    surface.addEventListener("lostpointercapture", cancel);
  }
  return {
    dragging: () => drag !== null,
    abort: () => {
      if (!drag) return;
      end();
      chart.cancel();
    },
  };
}

/** Arrow keys (with shift: coarse), PageUp and PageDown, Home and End, Enter or a digit to type, Escape to undo a drag. */
export function attachKeys(handle, chart, pointer, type) {
  let timer = 0;
  const settle = () => {
    clearTimeout(timer);
    timer = 0;
    if (!pointer.dragging()) chart.commit(); // a drag that began meanwhile tells Python at its own end
  };
  const steps = (event) => {
    const step = event.shiftKey ? COARSE : FINE;
    return { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step, PageUp: 1, PageDown: -1, Home: -Infinity, End: Infinity }[event.key];
  };
  handle.addEventListener("keydown", (event) => {
    delete handle.dataset.by;
    if (event.key === "Escape") return pointer.abort();
    if (event.ctrlKey || event.metaKey || event.altKey || pointer.dragging()) return undefined;
    if (event.key === "Enter" || /^[0-9.$]$/.test(event.key)) {
      event.preventDefault();
      return type(event.key === "Enter" ? null : event.key);
    }
    const step = steps(event);
    if (step === undefined) return undefined;
    event.preventDefault();
    chart.begin();
    chart.show(chart.budget + step);
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE * 3); // while a key is held down, its end is the release
    return undefined;
  });
  handle.addEventListener("keyup", () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE);
  });
  handle.addEventListener("blur", () => timer && settle());
}

/** The typed field: Enter takes the text, Escape brings the budget back, wrong text is answered below the field. */
export function attachEntry({ form, input, error }, chart) {
  const say = (sentence) => {
    error.textContent = sentence ?? "";
    error.hidden = !sentence;
    input.toggleAttribute("aria-invalid", Boolean(sentence));
    if (sentence) input.setAttribute("aria-invalid", "true");
  };
  const take = () => {
    if (input.value === chart.typed()) return say(null);
    const read = parseBudget(input.value, chart.unit, chart.range, (at) => chart.say(at), chart.axis?.format);
    if (read.error) return say(read.error);
    say(null);
    chart.begin();
    chart.show(read.budget);
    input.value = chart.typed();
    return chart.commit();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
    if (error.hidden) input.select();
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", take);
  input.addEventListener("input", () => say(null));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = chart.typed();
    say(null);
  });
  return { clear: () => say(null) };
}
