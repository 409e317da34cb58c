/**
 * Keeps a failing script from flooding the log: a log in, one out that leaves errors of callbacks out. Called by run.ts.
 *
 * Of each script the first errors go through; then at most one line in a while, which says how many were left out before it. What a
 * script prints by itself as an error is told from that by nobody: it is limited with them. A script that is switched off is always told.
 */
import type { Log, LossSnapshot } from '../patrol-types.ts';

const FIRST = 5;
const EVERY_MS = 10_000;

export interface LimitedLog {
  readonly log: Log;
  /** Errors that did not get through. */
  losses(): LossSnapshot[];
}

/** @param now monotonic, ms */
export function limitScriptErrors(log: Log, now: () => number): LimitedLog {
  const scripts = new Map<string, { errors: number; said: number; pending: number }>();
  let leftOut = 0;
  return {
    log: {
      debug: (fields, message) => log.debug(fields, message),
      info: (fields, message) => log.info(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error(fields, message) {
        const { script, callback } = fields as { script?: unknown; callback?: unknown };
        if (script === undefined || callback === undefined) return log.error(fields, message);
        const name = String(script);
        const of = scripts.get(name) ?? { errors: 0, said: 0, pending: 0 };
        scripts.set(name, of);
        const at = now();
        if (++of.errors > FIRST && at - of.said < EVERY_MS) {
          of.pending++;
          leftOut++;
          return;
        }
        of.said = at;
        if (of.pending === 0) return log.error(fields, message);
        log.error({ ...fields, leftOut: of.pending }, `${message} (${of.pending} errors of the script were left out before)`);
        of.pending = 0;
      },
    },
    losses: () =>
      leftOut === 0
        ? []
        : [{ name: 'log.scriptErrors', help: `errors of scripts left out of the log: ${FIRST} of each, then one in 10 s`, value: leftOut }],
  };
}
