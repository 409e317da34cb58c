/**
 * How scripts stand where nothing runs any more: after the end of a capture their files may still come, change and go. They are loaded as a
 * run would load them, and then let go. Called by hosts.ts.
 */
import type { ScriptReport } from '../report.ts';
import { type LoadTask, runWatched } from '../testing/watched.ts';

/** One at a time: each takes a thread, and there may be many captures. */
let queue: Promise<unknown> = Promise.resolve();

export function listAgain(task: () => LoadTask): Promise<ScriptReport[]> {
  const next = queue.then(() => runWatched('load', task(), { item() {}, note() {} }));
  queue = next.catch(() => {}); // whoever asked for it has the error
  return next;
}
