/** The thread in which {@link Work} is done: watched.ts starts, watches and ends it. */
import { parentPort, workerData } from 'node:worker_threads';
import { FilterError } from '../../filter/errors.ts';
import { RecordingError } from '../../recording/format.ts';
import { openRecordingFile } from '../../recording/reader.ts';
import { explainRecording } from './explain.ts';
import { loadFiles } from './load.ts';
import { replay } from './replay.ts';
import { createSteps, type Steps } from './steps.ts';
import type { Work, WorkerData, WorkerMessage } from './watched.ts';

const { work, steps: data } = workerData as WorkerData;
const say = (message: WorkerMessage): void => parentPort?.postMessage(message);
const item = (value: unknown): void => say({ type: 'item', item: value });
const note = (line: string): void => say({ type: 'note', line });

async function done({ name, task }: Work, steps: Steps): Promise<unknown> {
  switch (name) {
    case 'load':
      return loadFiles(task, steps);
    case 'replay':
      return replay(await openRecordingFile(task.recording), { ...task, steps, note }, item);
    case 'explain':
      return explainRecording(await openRecordingFile(task.recording), { ...task, steps, note }, item);
  }
}

try {
  const steps = createSteps(data, (number, path) => say({ type: 'named', number, path }), note);
  say({ type: 'result', result: await done(work, steps) });
} catch (error) {
  if (error instanceof FilterError) {
    const { code, position, length, hint, message } = error;
    say({ type: 'refused', message, filter: { code, position, length, hint } });
  } else if (error instanceof RecordingError) {
    say({ type: 'refused', message: error.message });
  } else {
    throw error;
  }
}
