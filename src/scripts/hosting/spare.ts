/**
 * Threads for script hosts. A thread takes a few tenths of a second until its modules are loaded: so they are started while a call of
 * scripts seems not to return, before it is ended.
 *
 *   prepareSpares() ──► thread that waits       takeWorker() ──► it, or a new one ──first message: HostData──► worker.ts
 *
 * Called by host-thread.ts, in the main thread.
 */
import { Worker } from 'node:worker_threads';

/**
 * Memory of a host's JavaScript. Scripts in TypeScript are held to less (host/limits.ts), and a call that takes more is ended for its time
 * before it gets here: where V8 meets its limit in the middle of growing a large object, it ends the whole process. The young generation
 * is small because it is never given back: with V8's own choice a host grows by 100 MiB within some thousand reloads, for no gain in speed.
 */
const LIMITS = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 16 };

/** A thread that nobody has taken in this time is let go: it takes some 40 MiB. */
const KEEP_MS = 30_000;

const spares: Worker[] = [];
let timer: NodeJS.Timeout | undefined;

const startWorker = (): Worker => new Worker(new URL('../worker.ts', import.meta.url), { resourceLimits: LIMITS });

/** Makes sure that there are so many for a while. They keep no process alive. */
export function prepareSpares(count: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    for (const worker of spares.splice(0)) void worker.terminate();
  }, KEEP_MS).unref();
  while (spares.length < count) {
    const worker = startWorker();
    const forget = (): void => {
      const at = spares.indexOf(worker);
      if (at >= 0) spares.splice(at, 1);
    };
    worker.once('error', forget).once('exit', forget).unref();
    spares.push(worker);
  }
}

export function takeWorker(): Worker {
  const worker = spares.shift();
  worker?.ref();
  return worker ?? startWorker();
}
