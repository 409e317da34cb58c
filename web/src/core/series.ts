/** Points of the history as lines of a chart: the same times for all lines, interfaces added up, no point = 0. Pure. */
import type { SeriesPoint } from './api.ts';

export interface Lines {
  /** s since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly stepSeconds: number;
}

const MOST = 300;
const SECOND_US = 1e6;

/** The step of the points, or so much more that a chart has no more than {@link MOST} of them. */
function stepOf(times: readonly number[], span: number): number {
  let step = span;
  for (let i = 1; i < times.length; i++) step = Math.min(step, (times[i] as number) - (times[i - 1] as number));
  return Math.max(SECOND_US, step * Math.ceil(span / step / MOST));
}

/** @param from µs since 1970, as the points were asked for; so is `to` */
export function chartOf(points: readonly SeriesPoint[], names: readonly string[], from: number, to: number): Lines {
  const given = [...new Set(points.map(({ time }) => time))].sort((a, b) => a - b);
  const step = stepOf(given, Math.max(SECOND_US, to - from));
  const begin = Math.floor(from / step) * step;
  const times = Array.from({ length: Math.floor((to - begin) / step) + 1 }, (_, i) => begin + i * step);
  const lines = names.map((name) => {
    const values = times.map(() => 0);
    for (const point of points) {
      const i = Math.floor((point.time - begin) / step);
      if (point.name === name && values[i] !== undefined) values[i] += point.value;
    }
    return { name, values };
  });
  return { times: times.map((time) => time / SECOND_US), lines, stepSeconds: step / SECOND_US };
}

const BINS = 60;

/** Values summed by time, in few steps of whole seconds that begin with the first. @param points times in s since 1970, in any order */
export function binsOf(points: readonly { readonly at: number; readonly value: number }[]): { times: number[]; values: number[] } {
  const known = points.filter(({ at }) => at > 0);
  if (known.length === 0) return { times: [], values: [] };
  const from = known.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const to = known.reduce((most, { at }) => Math.max(most, at), 0);
  const step = Math.max(1, Math.ceil((to - from + 1) / BINS));
  const values = Array.from({ length: Math.floor((to - from) / step) + 1 }, () => 0);
  for (const { at, value } of known) {
    const bin = Math.floor((at - from) / step);
    values[bin] = (values[bin] ?? 0) + value;
  }
  return { times: values.map((_, i) => from + i * step), values };
}
