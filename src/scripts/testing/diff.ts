/**
 * The difference of two texts by lines, as people read it: `-` was, `+` is, three lines around. Common lines are found by the longest
 * common subsequence of what is left between an equal start and an equal end (J. W. Hunt, M. D. McIlroy, 1976).
 */

/** Beyond so many pairs of lines nothing is looked for between the equal start and end. */
const MOST_PAIRS = 4_000_000;
const CONTEXT = 3;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** @returns no lines when the texts are equal; `…` stands for equal lines that are left out */
export function diffLines(before: string, after: string): string[] {
  if (before === after) return [];
  const [a, b] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const all: Line[] = [
    ...same(a.slice(0, start)),
    ...between(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ];
  return shown(all);
}

const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: ' ', text }));

function between(a: readonly string[], b: readonly string[]): Line[] {
  const removed = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: '-', text }));
  const added = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: '+', text }));
  if (a.length * b.length > MOST_PAIRS) return [...removed(a), ...added(b)];
  // longest[i * width + j]: of a from i on and b from j on
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i++] as string });
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) lines.push({ mark: '-', text: a[i++] as string });
    else lines.push({ mark: '+', text: b[j++] as string });
  }
  return [...lines, ...removed(a.slice(i)), ...added(b.slice(j))];
}

function shown(all: readonly Line[]): string[] {
  const near = all.map((_, i) => all.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ mark }) => mark !== ' '));
  return all.flatMap(({ mark, text }, i) => {
    if (near[i]) return [`${mark} ${text}`.trimEnd()];
    return i === 0 || near[i - 1] ? ['…'] : [];
  });
}
