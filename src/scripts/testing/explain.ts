/** The calls of some flows over a recording: its scripts run again, with traces of these flows. Called by worker.ts. */
import { compileFilter } from '../../filter/filter.ts';
import type { RecordingReader } from '../../recording/reader.ts';
import { type ExplainedCall, explained } from '../explain.ts';
import { callsAt } from './calls.ts';
import { createPlayer, type PlayerOptions } from './player.ts';

export interface ExplainOptions extends Omit<PlayerOptions, 'traced'> {
  /** Of the flows. */
  readonly filter: string;
}

/** @param told takes each call at once. @throws FilterError; RecordingError: a script cannot be loaded */
export async function explainRecording(
  recording: RecordingReader,
  { filter: text, ...options }: ExplainOptions,
  told: (call: ExplainedCall) => void,
): Promise<void> {
  const filter = compileFilter(text, recording.header.names);
  const player = await createPlayer(recording.header, { ...options, traced: (view) => filter.matches(view) });
  try {
    for await (const frames of recording.frames()) {
      for (const frame of frames) {
        const doings = player.take(frame);
        if (frame.type !== 'event' || !filter.matches(player.view)) continue;
        for (const call of callsAt(doings, player.view)) {
          const known = explained(call);
          if (known !== undefined) told(known);
        }
      }
    }
  } finally {
    player.close();
  }
}
