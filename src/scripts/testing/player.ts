/**
 * A script host that is fed from a recording: inputs and events in, what the scripts do out. Called by `flowpatrol replay` and `explain`.
 *
 * It runs the recorded scripts as they were, in the versions and with the switches of that time, and in the place of those with the same key
 * the ones that it is given. Nothing of it depends on the clock or the machine, so an unchanged script does the same again. One that does
 * not return fails, and is left out from there on (watched.ts).
 */
import { CALLBACK_BIT, type Callback } from '../../flows/event.ts';
import { createEventView, type EventView } from '../../flows/view.ts';
import { openHostBook } from '../../hosts/host-book.ts';
import { type Doing, type Frame, RecordingError, type RecordingHeader } from '../../recording/format.ts';
import { fileChange, recordedSink } from '../../recording/sink.ts';
import { createScriptCache } from '../cache.ts';
import { foldersOf, readScript } from '../files.ts';
import { createScriptHost, type HostSink } from '../host.ts';
import { loadLocales } from '../locales.ts';
import type { ScriptReport } from '../report.ts';
import { flowLabel } from '../words.ts';
import type { Steps, Stuck } from './steps.ts';

export interface PlayerOptions {
  /** Absolute paths. */
  readonly scripts: readonly string[];
  readonly steps: Steps;
  /** Takes a sentence about a script that did not return. */
  readonly note: (line: string) => void;
  /** Flows whose calls are traced. */
  readonly traced?: (view: EventView) => boolean;
}

export interface Player {
  /** Takes a frame of the recording. @returns what the scripts did at it, in order; nothing where it is no event */
  take(frame: Frame): readonly Doing[];
  /** Stands at the last event. */
  readonly view: EventView;
  /** Keys of the scripts that were given, with their versions. */
  readonly given: ReadonlyMap<string, string>;
  reports(): ScriptReport[];
  close(): void;
}

const QUIET: HostSink = { alert() {}, print() {}, error() {}, changes() {}, loaded() {}, switched() {}, trace() {} };

/** @throws RecordingError: a script that was given cannot be loaded */
export async function createPlayer(header: RecordingHeader, { scripts, steps, note, traced }: PlayerOptions): Promise<Player> {
  const book = openHostBook(header.hosts);
  const view = createEventView(header.names, book);
  let preferences = header.preferences;
  let clock = 0; // s
  let callback: Callback = 'protocolDetected';
  let doings: Doing[] = [];
  const cache = createScriptCache({ now: () => clock });
  const host = await createScriptHost({
    interfaceId: header.interface.id,
    interfaceName: header.interface.name,
    live: header.live,
    seed: header.seed,
    breaker: false, // what was switched off by it stands in the recording
    names: header.names,
    hosts: book,
    preferences: () => preferences,
    directories: foldersOf([...scripts, ...header.directories]),
    cache,
    translate: loadLocales(header.locales).translator(header.language),
    guard: steps.guard,
    running: steps.running,
    sink: recordedSink(
      QUIET,
      { event() {}, input() {}, flush() {}, close() {}, doing: (doing) => void doings.push(doing) },
      () => callback,
    ),
    ...(traced === undefined ? {} : { traced }),
  });
  host.change(scripts.map(readScript));
  for (const { path, error } of host.reports()) {
    if (error !== undefined) throw new RecordingError(`${path} cannot be loaded: ${error}`);
  }
  const given = new Map(host.reports().map(({ key, hash = '' }) => [key, hash]));
  const paths = new Set(scripts);
  const resting = new Set<string>(); // switched off by their breaker
  const ended = new Set<string>(); // did not return
  const mask = header.callbacks.reduce((bits, each) => bits | CALLBACK_BIT[each], 0);

  function play(bytes: Uint8Array, at: number): readonly Doing[] {
    view.set(bytes, at);
    clock = view.time() / 1e6;
    const due = view.callbacks();
    if (due.includes('protocolDetected')) book.learn(view);
    doings = [];
    for (const each of due) {
      if ((CALLBACK_BIT[each] & mask & host.callbacks()) === 0) continue;
      callback = each;
      const stuck = steps.leftOut();
      for (const { path } of stuck) ended.add(path);
      if (stuck.length > 0) exclude();
      steps.call(each, () => host.call(view, each));
      host.commit(view, each);
      for (const script of stuck) fail(script, each);
    }
    cache.takeChanges();
    return doings;
  }

  const exclude = (): void => host.exclude(new Set([...resting, ...ended]));

  /** Its call was ended: a failure, as in a run. */
  function fail({ path, why }: Stuck, of: Callback): void {
    const { key: script, file } = host.reports().find((each) => each.path === path) as ScriptReport;
    const message = `${file}: ${why}, and is left out from here on`;
    note(`${path}: ${of} of ${flowLabel(view)} ${why}; from there on the script is left out`);
    doings.push({ type: 'error', script, callback: of, message });
    if (traced?.(view) !== true) return;
    doings.push({ type: 'trace', callback: of, scripts: [{ script, outcome: 'failed', message, alerts: 0 }] });
  }

  function rest(key: string, on: boolean): void {
    const path = host.reports().find((script) => script.key === key)?.path;
    if (path === undefined || given.has(key)) return;
    if (on) resting.delete(path);
    else resting.add(path);
    exclude();
  }

  return {
    view,
    given,
    take(frame) {
      if (frame.type === 'event') return play(frame.bytes, frame.at);
      if (frame.type === 'doing' && frame.doing.type === 'switched') rest(frame.doing.script, frame.doing.on);
      if (frame.type !== 'input') return [];
      const { input } = frame;
      switch (input.type) {
        case 'files':
          host.change(input.files.filter(({ path }) => !paths.has(path)).map(fileChange));
          break;
        case 'switch':
          if (!given.has(input.key)) host.switch(input.key, input.to);
          break;
        case 'preferences':
          preferences = input.preferences;
          break;
        case 'cache':
          cache.apply(input.changes);
          break;
        case 'names':
          for (const { address, name } of input.names) book.put(address, name, 'reverse');
          break;
      }
      return [];
    },
    reports: () => host.reports(),
    close: () => host.close(),
  };
}
