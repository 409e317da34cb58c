/**
 * The thread of the history: the store and the recorder in front of it, so that rows are made, stored and asked for beside the thread
 * that answers people. Started by history-thread.ts with HistoryData.
 */
import { setPriority } from 'node:os';
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

/** Rows of the history can be shed, packets cannot: where processors are short, this thread waits first. 0 is usual, 19 the last. */
const NICE = 5;

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

/** On Linux 0 means the thread that calls. */
function giveWay(): void {
  try {
    if (process.platform === 'linux') setPriority(0, NICE);
  } catch {
    // not allowed here: it is as important as others
  }
}

async function main(): Promise<void> {
  giveWay();
  const { history, losses } = await open();
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
