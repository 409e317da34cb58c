/**
 * The globals of a script's realm: what it must not have is taken away, what tells the machine's time or is left to chance is replaced.
 *
 * `lockRealm` runs in the realm itself, first of all (see world.ts), so it uses nothing from outside of itself.
 */

/** @param now ms since 1970; throws errors of the realm only @param seed of Math.random, below 2^32 */
export function lockRealm(now: () => number, seed: number): void {
  const { apply, construct, defineProperty, deleteProperty } = Reflect;
  const globals = globalThis as unknown as Record<string, unknown>;
  const define = (of: object, name: PropertyKey, value: unknown): void => {
    defineProperty(of, name, { value, writable: true, configurable: true });
  };

  // other threads' memory, code from text, whatever runs when a call is over
  const threads = ['SharedArrayBuffer', 'Atomics', 'WebAssembly'];
  const later = ['Promise', 'AsyncDisposableStack', 'WeakRef', 'FinalizationRegistry'];
  for (const name of [...threads, ...later, 'eval']) deleteProperty(globals, name);
  deleteProperty(Array, 'fromAsync');

  // Node asks a realm's Error how to show a stack: the lines of the script's files, with no frame of the host and no path of the machine
  const { startsWith } = String.prototype;
  const errorText = Error.prototype.toString;
  const isOfHost = (file: unknown): boolean =>
    typeof file !== 'string' ||
    apply(startsWith, file, ['flowpatrol:']) ||
    apply(startsWith, file, ['file:']) ||
    apply(startsWith, file, ['node:']);
  const prepareStackTrace = (error: Error, sites: readonly NodeJS.CallSite[]): string => {
    let stack = 'Error';
    try {
      stack = apply(errorText, error, []);
    } catch {
      // what the script made of it has no text
    }
    for (let i = 0; i < sites.length; i++) {
      const site = sites[i] as NodeJS.CallSite;
      if (!isOfHost(site.getFileName())) stack += `\n    at ${site.toString()}`;
    }
    return stack;
  };
  defineProperty(Error, 'prepareStackTrace', { value: prepareStackTrace, writable: false, configurable: false });
  defineProperty(globals, 'Error', { value: Error, writable: false, configurable: false });

  // the traffic's clock
  const RealDate = Date;
  const dateText = RealDate.prototype.toString;
  function FlowDate(...args: readonly unknown[]): unknown {
    if (new.target === undefined) return apply(dateText, new RealDate(now()), []);
    return construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  }
  for (const name of ['UTC', 'parse'] as const) define(FlowDate, name, RealDate[name]);
  define(FlowDate, 'now', now);
  defineProperty(FlowDate, 'name', { value: 'Date' });
  defineProperty(FlowDate, 'prototype', { value: RealDate.prototype, writable: false });
  define(RealDate.prototype, 'constructor', FlowDate);
  define(globals, 'Date', FlowDate);

  // formats without a date mean now
  const formats = Intl.DateTimeFormat.prototype;
  const { format, formatToParts } = Object.getOwnPropertyDescriptors(formats);
  const bound = format.get as () => (date: unknown) => string;
  const dated = (date: unknown): unknown => (date === undefined ? now() : date);
  defineProperty(formats, 'format', {
    get(this: Intl.DateTimeFormat) {
      const real = apply(bound, this, []) as (date: unknown) => string;
      return (date?: unknown) => real(dated(date));
    },
    configurable: true,
  });
  const parts = formatToParts.value as (date: unknown) => unknown;
  define(
    formats,
    'formatToParts',
    {
      formatToParts(this: Intl.DateTimeFormat, date?: unknown) {
        return apply(parts, this, [dated(date)]);
      },
    }.formatToParts,
  );

  // mulberry32: 32 bits of state, a full period
  let state = seed >>> 0;
  const { imul } = Math;
  define(Math, 'random', () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = imul(state ^ (state >>> 15), state | 1);
    t ^= t + imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  });
}
