/** Findings as people read them: a sign, the check, a sentence; below it what to do. Pure. */
import { printable, wrap } from '../format.ts';
import { CHECKS, type Finding, type Level } from './finding.ts';

export interface Appearance {
  readonly colour: boolean;
  readonly columns: number;
}

const LEVELS = {
  ok: { sign: '✓', colour: '32', word: 'fine' },
  hint: { sign: '!', colour: '33', word: 'to improve' },
  problem: { sign: '✗', colour: '31', word: 'in the way' },
} as const;

const NAME_WIDTH = Math.max(...CHECKS.map((check) => check.length));
const INDENT = ' '.repeat(2 + NAME_WIDTH + 2);

const painted = (text: string, level: Level, colour: boolean): string =>
  colour ? `\u001b[${LEVELS[level].colour}m${text}\u001b[0m` : text;

/** The sentence is wrapped; what can be copied and typed stays in one line however long it is. */
export function findingLines({ check, level, what, todo }: Finding, { colour, columns }: Appearance): string[] {
  const [first = '', ...more] = wrap(printable(what), columns - INDENT.length, '');
  const todos = todo === '' ? [] : todo.split('\n').map((line) => `${INDENT}→ ${printable(line)}`);
  return [
    `${painted(LEVELS[level].sign, level, colour)} ${check.padEnd(NAME_WIDTH)}  ${first}`,
    ...more.map((line) => INDENT + line),
    ...todos,
  ];
}

/** `✓ 19 fine  ! 2 to improve  ✗ 1 in the way` */
export function summaryLine(findings: readonly Finding[], { colour }: Appearance): string {
  const parts = (['ok', 'hint', 'problem'] as const).map((level) => {
    const many = findings.filter((finding) => finding.level === level).length;
    return many === 0 && level !== 'ok' ? '' : `${painted(LEVELS[level].sign, level, colour)} ${many} ${LEVELS[level].word}`;
  });
  return parts.filter((part) => part !== '').join('   ');
}
