/**
 * Threads for script hosts. A thread takes a few tenths of a second until its modules are loaded; where one may be needed at any time,
 * one is kept ready, for all interfaces together.
 *
 *   prepareSpare() ──► thread that waits        takeWorker() ──► it, or a new one ──first message: HostData──► worker.ts
 *
 * Called by host-thread.ts, in the main thread.
 */
import { Worker } from 'node:worker_threads';

/** Memory of a host's JavaScript, MiB: scripts in TypeScript live in there. */
const MOST_HEAP_MIB = 256;

let spare: Worker | undefined;

const startWorker = (): Worker =>
  new Worker(new URL('../worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB } });

const forget = (): void => {
  spare = undefined;
};

/** Makes sure that there is one. It keeps no process alive. */
export function prepareSpare(): void {
  if (spare !== undefined) return;
  spare = startWorker();
  spare.once('error', forget).once('exit', forget);
  spare.unref();
}

export function takeWorker(): Worker {
  const worker = spare ?? startWorker();
  if (spare === worker) {
    worker.off('error', forget).off('exit', forget);
    worker.ref();
    forget();
  }
  return worker;
}
