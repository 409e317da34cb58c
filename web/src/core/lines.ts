/** Lines of the filter language put together. Pure. */

/** What is true of all of them; empty ones are left out. */
export function allOf(...lines: readonly string[]): string {
  const given = lines.filter((line) => line.trim() !== '');
  return given.length > 1 ? given.map((line) => `(${line})`).join(' and ') : (given[0] ?? '');
}
