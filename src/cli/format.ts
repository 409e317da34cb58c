/** Numbers, sizes, times and tables as people read them. Everything here is pure. */

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Three figures and a unit, powers of 1000: `999 B`, `1.23 MB`, `45.6k`. */
function scaled(value: number, units: readonly string[], gap: string): string {
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(digits)}${gap}${units[unit]}`;
}

export const bytes = (value: number): string => scaled(value, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], ' ');
export const bits = (value: number): string => scaled(value, ['bit', 'kbit', 'Mbit', 'Gbit', 'Tbit'], ' ');
export const short = (value: number): string => scaled(value, ['', 'k', 'M', 'G', 'T'], '');

/** The two largest units: `0.35 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `4 d 03 h`. */
export function duration(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${whole} s`;
  if (hours === 0) return `${minutes} min ${two(whole % 60)} s`;
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** `0:07`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts.map((part) => String(part).padStart(2, '0')) as [string, string, string];
  return parts[0] === 0 ? `${parts[1]}:${rest}` : `${Number(hours)}:${minutes}:${rest}`;
}

/** What a terminal would take for a command, or for a change of direction, is `?`: file names, host names and scripts say what they like. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');

/** Cut at the end. */
export const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`);
/** Cut at the start: of a path the end says most. */
export const cutStart = (text: string, width: number): string => (text.length <= width ? text : `…${text.slice(text.length - width + 1)}`);

/** East Asian wide characters and pictures take two cells (Unicode UAX #11, coarsely). */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROW = /^[ -~]*$/;

/** Cells of a terminal that a printable text takes. */
export function cellsOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += /\p{M}|\p{Cf}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return cells;
}

/** Exactly so many cells: cut at the end with `…`, or filled up with spaces. */
export function fit(text: string, width: number, right = false): string {
  if (width <= 0) return '';
  const cells = cellsOf(text);
  if (cells <= width) return right ? ' '.repeat(width - cells) + text : text + ' '.repeat(width - cells);
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = cellsOf(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…${' '.repeat(width - 1 - used)}`;
}

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Columns as wide as their widest cell, two spaces between them. A row shorter than the columns ends early. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (columns[i]?.right ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd();
  return all.map(line);
}

/** Breaks at spaces; later lines are indented. A word longer than the width stays whole. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const next = line === '' ? word : `${line} ${word}`;
    if (next.length > width && line !== '' && line !== indent) {
      lines.push(line);
      line = indent + word;
    } else {
      line = next;
    }
  }
  lines.push(line);
  return lines;
}
