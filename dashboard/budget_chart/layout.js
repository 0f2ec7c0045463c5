// Where everything stands for a given width: the panels, their read-outs, the axis.

export const NARROW_BELOW = 640;
const BAR = 46; // the row of the handle
const TITLE = 28; // the row above a panel that holds its name
const GAP = 14;
const AXIS = 46;
const PLOT_HEIGHT = 560; // what the panels share on a wide page, so that the whole chart fits one screen

/**
 * Places in pixels. `readoutHeights` are the measured heights of the read-outs at this width, `entryHeight` that of the
 * typed field.
 */
export function layOut(width, panels, readoutHeights, entryHeight) {
  const narrow = width < NARROW_BELOW;
  return narrow ? narrowLayout(width, panels, readoutHeights, entryHeight) : wideLayout(width, panels, readoutHeights);
}

/** The width of the read-outs' column, or the whole width where they stand above their panels. */
export function readoutWidth(width) {
  if (width < NARROW_BELOW) return width;
  return width < 900 ? 172 : Math.min(264, Math.round(width * 0.21));
}

function wideLayout(width, panels, readoutHeights) {
  const column = readoutWidth(width);
  const [x0, x1] = [58, width - column - 28];
  const share = PLOT_HEIGHT / panels.reduce((sum, p) => sum + p.weight, 0);
  let y = BAR;
  const boxes = panels.map((panel, i) => {
    const height = Math.round(Math.max(panel.weight * share, readoutHeights[i], 84));
    const box = { titleY: y, y: y + TITLE, height, readout: { x: x1 + 28, y: y + TITLE, width: column, height } };
    y = box.y + height + GAP;
    return box;
  });
  const bottom = y - GAP;
  return { narrow: false, width, x0, x1, pillY: 6, lineTop: 30, boxes, bottom, height: bottom + AXIS, entry: { x: x1 + 28, y: 2, width: column } };
}

function narrowLayout(width, panels, readoutHeights, entryHeight) {
  const [x0, x1] = [46, width - 14];
  const share = 430 / panels.reduce((sum, p) => sum + p.weight, 0);
  let y = entryHeight + 14;
  let [pillY, lineTop] = [0, 0];
  const boxes = panels.map((panel, i) => {
    const readout = { x: 0, y, width, height: readoutHeights[i] };
    y += readoutHeights[i] + 8;
    if (i === 0) {
      [pillY, lineTop] = [y + 4, y + 28];
      y += BAR;
    }
    const height = Math.round(Math.max(panel.weight * share, 84));
    const box = { titleY: y, y, height, readout };
    y += height + 22;
    return box;
  });
  const bottom = y - 22;
  const keys = panels.some((panel) => panel.points || panel.other) ? 28 : 0;
  return { narrow: true, width, x0, x1, pillY, lineTop, boxes, bottom, height: bottom + AXIS + keys, keysY: bottom + AXIS, entry: { x: 0, y: 0, width } };
}
