/**
 * The thread of the history: the store and the recorder in front of it, so that rows are made, stored and asked for beside the thread
 * that answers people. Started by history-thread.ts with HistoryData.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { FilterError } from '../filter/filter.ts';
import type { Names } from '../flows/view.ts';
import { openHostBook } from '../hosts/host-book.ts';
import type { LossSnapshot } from '../patrol-types.ts';
import type { History } from '../store/history.ts';
import { HistoryError } from '../store/history-checks.ts';
import { createMemoryHistory } from '../store/memory-history.ts';
import type { HistoryCommand, HistoryData, HistoryReply, HistoryRequest, SentError } from './history-protocol.ts';
import { createRecorder } from './recorder.ts';

const { directory, hosts } = workerData as HistoryData;
const LOSSES_MS = 1000;

/**
 * Rows of the history can be shed, packets cannot: where processors are short, this thread waits first. So much nicer than the rest of the
 * program; 19 is the last.
 */
const NICE = 5;
const NICEST = 19;
/** Threads that libuv does work in, DuckDB's among it; capture and scripts give it none. */
const POOL = 'libuv-worker';

const say = (reply: HistoryReply): void => parentPort?.postMessage(reply);

function sent(error: unknown): SentError {
  const { message } = error as Error;
  if (error instanceof HistoryError) return { kind: 'history', message };
  if (error instanceof FilterError) {
    const { code, position, length, hint } = error;
    return { kind: 'filter', message, filter: { code, position, length, hint } };
  }
  return { kind: 'other', message };
}

async function open(): Promise<{ history: History; losses: () => LossSnapshot[] }> {
  if (directory === undefined) {
    const history = createMemoryHistory();
    const losses = (): LossSnapshot[] => {
      const { flowsDropped, alertsDropped, pointsDropped } = history.figures();
      return [
        { name: 'history.old-flows', help: 'flows that the history in memory had no more room for (-d keeps more)', value: flowsDropped },
        { name: 'history.old-alerts', help: 'alerts that it had no more room for', value: alertsDropped },
        { name: 'history.old-figures', help: 'figures over time that it had no more room for', value: pointsDropped },
      ];
    };
    return { history, losses };
  }
  const { openDuckHistory } = await import('../store/duckdb/history.ts');
  const history = await openDuckHistory({ directory, failed: (error) => say({ type: 'failed', message: error.message }) });
  const help = 'logs of the history that could not be emptied: nothing is lost, the next start reads them again';
  return { history, losses: () => [{ name: 'history.checkpoints', help, value: history.figures().checkpointsFailed }] };
}

/** On Linux a priority is that of one thread, and 0 means the one that calls. */
function giveWay(threads: readonly number[], nice: number): void {
  try {
    for (const thread of threads) setPriority(thread, nice);
  } catch {
    // not allowed here: they are as important as others
  }
}

/** DuckDB compresses rows and answers questions in the pool, which all threads share and which is there once it was used. */
function poolThreads(): number[] {
  try {
    const threads = readdirSync('/proc/self/task').map(Number);
    return threads.filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === POOL);
  } catch {
    return [];
  }
}

async function main(): Promise<void> {
  const isLinux = process.platform === 'linux';
  const nice = Math.min(NICEST, getPriority(0) + NICE);
  if (isLinux) giveWay([0], nice);
  const { history, losses } = await open();
  if (isLinux && directory !== undefined) giveWay(poolThreads(), nice);
  const book = openHostBook(hosts);
  const recorder = createRecorder({ history, hosts: () => book, failed: (error) => say({ type: 'failed', message: error.message }) });
  const sources = new Map<number, Names>();
  const all = (): LossSnapshot[] => [...recorder.losses(), ...losses()].filter(({ value }) => value > 0);
  const tell = (): void => say({ type: 'losses', losses: all(), recorded: recorder.recorded() });
  const telling = setInterval(tell, LOSSES_MS);

  let ending = false;
  // an error that nobody expects: what waits is written, then another thread takes over (history-thread.ts)
  process.once('uncaughtException', (error) => {
    clearInterval(telling);
    ending = true;
    say({ type: 'ending', reason: error.message });
    recorder
      .flush()
      .then(() => history.close())
      // what went with the thread is counted by who replaces it; why it could not be written is told
      .catch((reason: unknown) => say({ type: 'ending', reason: `${error.message}; ${String(reason)}` }))
      .finally(() => {
        tell();
        process.exit(1);
      });
  });

  async function obey(command: HistoryCommand): Promise<unknown> {
    switch (command.type) {
      case 'record': {
        const { batch, source, interface: name, live, names = sources.get(source) } = command;
        if (names === undefined) throw new Error(`nobody has said what source ${source} is`);
        sources.set(source, names);
        return recorder.take(batch, { interface: name, names, live });
      }
      case 'flush':
        return recorder.flush();
      case 'call': {
        const method = history[command.method] as (...args: readonly unknown[]) => Promise<unknown>;
        const value = await method.apply(history, [...command.args]);
        if (command.method === 'close') {
          clearInterval(telling);
          tell();
          parentPort?.unref();
        }
        return value;
      }
    }
  }

  parentPort?.on('message', (request: HistoryRequest) => {
    if (ending) return; // it is asked of the next thread
    switch (request.type) {
      case 'figures':
        recorder.figures(request.snapshot);
        break;
      case 'alerts':
        recorder.alerts(request.events);
        break;
      case 'learned':
        for (const { address, name, source } of request.names) book.put(address, name, source);
        book.takeLearned();
        break;
      default: {
        const { id } = request;
        obey(request).then(
          (value) => say({ id, value }),
          (error: unknown) => say({ id, error: sent(error) }),
        );
      }
    }
  });
  say({ type: 'ready' });
}

main().catch((error: unknown) => say({ type: 'unusable', error: sent(error) }));
