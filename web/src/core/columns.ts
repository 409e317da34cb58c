/** Which columns the table of flows has while nobody has chosen some: the most useful ones that fit. Pure. */

export interface ColumnShape {
  readonly key: string;
  /** px. */
  readonly width: number;
}

/** Of those that are declared as shown, the ones that tell most first. */
const USEFUL = [
  ...['cli.ip', 'srv.ip', 'proto.ndpi', 'bytes', 'srv.port', 'flow.status', 'throughput_bps', 'cli.port', 'duration', 'info'],
  ...['seen.last', 'packets', 'proto.l4', 'srv.host', 'cli.host'],
];
/** And the order in which they stand. */
const PLACES = [
  ...['cli.ip', 'cli.port', 'cli.host', 'srv.ip', 'srv.port', 'srv.host', 'proto.l4', 'proto.ndpi', 'bytes', 'packets'],
  ...['throughput_bps', 'duration', 'seen.last', 'flow.status', 'info'],
];
/** A table with less says nothing; it is scrolled where these do not fit. */
const LEAST = 4;
/** Of a column that takes what room is left, px. */
export const NARROWEST = 140;

const placeIn = (order: readonly string[], key: string): number => {
  const at = order.indexOf(key);
  return at < 0 ? order.length : at;
};

/** @param room px @returns keys in the order in which they stand */
export function defaultColumns(shown: readonly ColumnShape[], room: number): string[] {
  const chosen: string[] = [];
  let left = room;
  for (const { key, width } of shown.toSorted((a, b) => placeIn(USEFUL, a.key) - placeIn(USEFUL, b.key))) {
    const least = key === 'info' ? Math.min(width, NARROWEST) : width;
    if (chosen.length >= LEAST && least > left) continue;
    chosen.push(key);
    left -= least;
  }
  return chosen.toSorted((a, b) => placeIn(PLACES, a) - placeIn(PLACES, b));
}

/** Widths as they are drawn: the last column takes what room is left, if it is a text. @param widths as wanted, px */
export function fitted(widths: readonly number[], room: number, elastic: boolean): number[] {
  const last = widths.at(-1);
  if (last === undefined || !elastic) return [...widths];
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width, 0);
  return [...widths.slice(0, -1), Math.max(Math.min(last, NARROWEST), room - others)];
}
