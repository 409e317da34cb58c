/** Ranges of time that lists and charts are asked for, by name in the page's address. Times are µs since 1970. Pure. */

export const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d', 'all', 'custom'] as const;
export type RangeName = (typeof RANGES)[number];

const SECONDS: Readonly<Partial<Record<RangeName, number>>> = {
  '15m': 900,
  '1h': 3600,
  '6h': 21_600,
  '24h': 86_400,
  '7d': 604_800,
  '30d': 2_592_000,
};

export interface Range {
  readonly from?: number;
  readonly to?: number;
}

export const isRange = (text: string | undefined): text is RangeName => RANGES.some((name) => name === text);

/** @param now µs. @param given of a custom range, µs as text */
export function rangeOf(name: RangeName, now: number, given: { from?: string; to?: string } = {}): Range {
  const seconds = SECONDS[name];
  if (seconds !== undefined) return { from: Math.floor(now - seconds * 1e6) };
  if (name === 'all') return {};
  const number = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);
  const [from, to] = [number(given.from), number(given.to)];
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** For `<input type="datetime-local">`, in the browser's zone. */
export function localText(us: number | undefined): string {
  if (us === undefined) return '';
  const date = new Date(us / 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export const fromLocalText = (text: string): number | undefined => (text === '' ? undefined : new Date(text).getTime() * 1000);
