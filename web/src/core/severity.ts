/** Severities as they are shown: tones, which never stand without their word, and an order. Pure. */
import { SEVERITIES } from '../../../src/alerts/alert.ts';

export const toneOf = (severity: string): 'warn' | 'bad' | 'accent' => {
  if (severity === 'warning') return 'warn';
  return ['error', 'critical', 'alert', 'emergency'].includes(severity) ? 'bad' : 'accent';
};

/** Those that there are, the strongest first. */
export const strongestFirst = (counts: Readonly<Record<string, number>>): { severity: string; count: number }[] =>
  SEVERITIES.toReversed().flatMap((severity) => {
    const count = counts[severity] ?? 0;
    return count === 0 ? [] : [{ severity, count }];
  });
