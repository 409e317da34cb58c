/** Did you mean …? A word and its candidates in, the probable one out. Called where users type names. */

/** Edit distance (Levenshtein), for words of a few letters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The candidate that was probably meant, if any is near enough (a third of the letters wrong at most) or begins like it. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const scored = candidates
    .map((candidate) => ({ candidate, errors: distance(wanted, candidate.toLowerCase()) }))
    .sort((x, y) => x.errors - y.errors);
  const best = scored[0];
  if (best !== undefined && best.errors <= Math.max(1, Math.floor(Math.max(word.length, best.candidate.length) / 3))) return best.candidate;
  return wanted.length < 3 ? undefined : candidates.find((candidate) => candidate.toLowerCase().startsWith(wanted));
}
