// What a budget takes on devices, whose number may follow the budget: the table of numbers is Python's own.

import { say } from "./format.js";

const CLOSE = 1e-9; // of log10 FLOP, as in plan_fleet.py

/** The number of devices at a budget (log10 FLOP) by pairs of a budget and the number up to it; beyond the last, its number. */
export function countAt(counts, at) {
  return (counts.find(([upTo]) => at <= upTo + CLOSE) ?? counts[counts.length - 1])[1];
}

/** One line of what a budget takes, as `{figure, label}`; `wait` is the seconds a run waits there beyond its arithmetic. */
export function takeAt(take, at, wait) {
  const whole = take.per_flop * 10 ** at;
  if (!take.counts) return { figure: say(whole, take.format), label: take.label };
  const devices = countAt(take.counts, at);
  const waited = take.waits * (wait ?? 0);
  const value = take.divided ? whole / devices + waited : whole + waited * devices;
  return { figure: say(value, take.format), label: take.label.replace("{n}", () => say(devices, "whole")) };
}

/** The first of `sayings` whose stretch holds a place; an end is part of a stretch only where it is a single place. */
export function sayingAt(sayings, at) {
  return (
    (sayings ?? []).find(({ from, to }) => {
      if (from !== null && from === to) return Math.abs(at - from) < CLOSE;
      return (from === null || at > from + CLOSE) && (to === null || at < to - CLOSE);
    }) ?? null
  );
}
