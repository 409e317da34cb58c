/** Points of the history as lines of a chart: the same times for all lines, interfaces added up, no point = 0. Pure. */
import type { SeriesPoint } from './api.ts';

export interface Lines {
  /** s since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly stepSeconds: number;
}

/** @param from µs since 1970, as the points were asked for */
export function chartOf(points: readonly SeriesPoint[], names: readonly string[], from: number, to: number): Lines {
  const given = [...new Set(points.map(({ time }) => time))].sort((a, b) => a - b);
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < given.length; i++) step = Math.min(step, (given[i] as number) - (given[i - 1] as number));
  if (!Number.isFinite(step)) step = Math.max(1e6, to - from);
  const times: number[] = [];
  const first = given[0] ?? from;
  const begin = first - Math.floor((first - from) / step) * step;
  for (let time = begin; time <= to && times.length < 5000; time += step) times.push(time);
  const at = new Map(times.map((time, i) => [time, i]));
  const lines = names.map((name) => {
    const values = times.map(() => 0);
    for (const point of points) {
      const i = at.get(point.time) ?? Math.round((point.time - begin) / step);
      if (point.name === name && values[i] !== undefined) values[i] += point.value;
    }
    return { name, values };
  });
  return { times: times.map((time) => time / 1e6), lines, stepSeconds: step / 1e6 };
}
