/** What failed in a script's world (`fail` in world.ts), as the host tells it. */

export interface Failure {
  /** `file:line: cause`, without the line where nothing tells it. */
  readonly message: string;
  /** The lines of the script's files that it came through, innermost first. */
  readonly stack: string;
}

/** @param files names of the script's files, its own last */
export function failureOf(told: string, files: readonly string[]): Failure {
  const main = files.at(-1) as string;
  const text = told.slice(1);
  if (!told.startsWith('E')) return { message: `${main}: ${text}`, stack: '' };
  const start = text.search(/\n {4}at /);
  const cause = (start < 0 ? text : text.slice(0, start)).replace(/^Error: /, '');
  const lines: string[] = [];
  let place: string | undefined;
  for (const [, name, file, line] of text.slice(Math.max(0, start)).matchAll(/\n {4}at (?:(.*) \()?(.*?):(\d+):\d+\)?(?=\n|$)/g)) {
    if (!files.includes(file as string)) continue;
    place ??= `${file}:${line}`;
    lines.push(`${file}:${line}: in ${name?.replace(/^Object\.| \[as .*$/g, '') ?? 'the script'}`);
  }
  return { message: `${place ?? main}: ${cause}`, stack: lines.join('\n') };
}
