/** Values as people read them, in a language and the browser's time zone. Also used by the worker of the table, so nothing here is reactive. */

export interface Formats {
  readonly count: (value: number) => string;
  /** Of traffic, in powers of ten as rates are. */
  readonly bytes: (value: number) => string;
  /** Of files and memory, in powers of two as their limits are given. */
  readonly size: (bytes: number) => string;
  /** Of bytes a second. */
  readonly bits: (bytesPerSecond: number) => string;
  readonly percent: (part: number) => string;
  /** s → two largest units. */
  readonly duration: (seconds: number) => string;
  /** µs of work. */
  readonly micros: (us: number) => string;
  /** µs since 1970 → date, time and zone. */
  readonly time: (us: number) => string;
  /** The same without the zone, for columns whose head names it. */
  readonly shortTime: (us: number) => string;
  /** A tick of an axis of time: as much of date and time as ticks so far apart differ in. */
  readonly tick: (seconds: number, step: number) => string;
  readonly zone: string;
  /** A value of a field by its unit. */
  readonly value: (value: unknown, unit?: string) => string;
}

const STEPS = ['', 'k', 'M', 'G', 'T', 'P'] as const;

export function createFormats(language: string): Formats {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const three = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const part = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  // Swedish writes dates as ISO 8601 does: nobody takes the day for the month, and columns of them sort by eye
  const long = new Intl.DateTimeFormat('sv', { ...fields, timeZoneName: 'short' });
  const plain = new Intl.DateTimeFormat('sv', fields);
  const zone = long.formatToParts(0).find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';

  function scaled(value: number, unit: string, base = 1000): string {
    let step = 0;
    let rest = value;
    while (Math.abs(rest) >= base - 0.5 && step < STEPS.length - 1) {
      rest /= base;
      step++;
    }
    const prefix = STEPS[step] as string;
    return `${three.format(rest)} ${base === 1000 || step === 0 ? prefix : `${prefix.toUpperCase()}i`}${unit}`;
  }
  const count = (value: number): string => whole.format(value);
  const bytes = (value: number): string => scaled(value, 'B');
  const size = (value: number): string => scaled(value, 'B', 1024);
  const bits = (value: number): string => scaled(value * 8, 'bit/s');

  function duration(seconds: number): string {
    const two = (value: number): string => String(value).padStart(2, '0');
    if (seconds < 9.995) return `${three.format(seconds)} s`;
    const all = Math.round(seconds);
    const [minutes, hours] = [Math.floor(all / 60), Math.floor(all / 3600)];
    if (minutes === 0) return `${all} s`;
    if (hours === 0) return `${minutes} min ${two(all % 60)} s`;
    if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
    return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
  }
  function micros(us: number): string {
    if (us < 1000) return `${three.format(us)} µs`;
    if (us < 1e6) return `${three.format(us / 1000)} ms`;
    return duration(us / 1e6);
  }
  const time = (us: number): string => (us > 0 ? long.format(us / 1000) : '–');
  const shortTime = (us: number): string => (us > 0 ? plain.format(us / 1000) : '–');

  function tick(seconds: number, step: number): string {
    const [date = '', clock = ''] = shortTime(seconds * 1e6).split(' ');
    if (step >= 365 * 86_400) return date.slice(0, 4);
    if (step >= 28 * 86_400) return date.slice(0, 7);
    if (step >= 86_400) return date;
    return step >= 60 ? clock.slice(0, 5) : clock;
  }

  function value(of: unknown, unit?: string): string {
    if (of === undefined || of === null || of === '') return '';
    if (typeof of === 'boolean') return of ? '✓' : '–';
    if (typeof of === 'object') return JSON.stringify(of);
    if (typeof of !== 'number') return String(of);
    switch (unit) {
      case 's since 1970':
        return shortTime(of * 1e6);
      case 's':
        return duration(of);
      case 'ms':
        return micros(of * 1000);
      case 'bytes':
        return bytes(of);
      case 'bytes per second':
      case 'bytes/s':
        return bits(of);
      case undefined:
        return String(of);
      default:
        return three.format(of);
    }
  }
  return { count, bytes, size, bits, percent: (of) => part.format(of), duration, micros, time, shortTime, tick, zone, value };
}
