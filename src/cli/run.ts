/**
 * A run from the outside: signals, the status line, the control socket, the summary at the end. Called by main.ts.
 *
 *   data directory locked ► settings opened ► control socket ► patrol.start … patrol.done ► socket, settings, lock given up ► summary
 */
import type { Config } from '../config.ts';
import { ListError } from '../hosts/lists/declaration.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import type { Log, Patrol, Snapshot } from '../patrol-types.ts';
import type { ScriptStores } from '../scripts/service.ts';
import { runError, usageError } from './errors.ts';
import { withPreferences } from './parse.ts';
import { sampleOf, statusLine } from './progress.ts';
import { createLog, type Screen } from './screen.ts';
import { summary } from './summary.ts';

const REDRAW_MS = 1000;
/** npm passes a signal of the terminal on to us, which has it already: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 250;

/** 0 when every interface did its work. A filter that did not fit an input which could not be tried before is a wrong option. */
export function exitCodeOf(snapshot: Snapshot): number {
  const failed = snapshot.interfaces.filter((of) => of.state === 'failed');
  if (failed.length === 0) return 0;
  return failed.every((of) => of.errorCode === 'EFILTER') ? 2 : 1;
}

/** Does a script have callbacks that this run did not call, because it read captures? */
const hidesCallbacks = (config: Config, { interfaces, scripts }: Snapshot): boolean =>
  config.pcapCallbacks === 'protocolDetected' &&
  !config.originalSpeed &&
  interfaces.some((of) => of.kind === 'pcap') &&
  scripts.some((script) => script.callbacks.some((callback) => callback !== 'protocolDetected'));

/** Starts a patrol and waits for its end, or for a signal and then its end. Progress is on the screen. */
export async function play(patrol: Patrol, screen: Screen): Promise<void> {
  let signalled = 0;
  const onSignal = (): void => {
    const now = performance.now();
    if (signalled === 0) {
      signalled = now;
      screen.line('stopping: last visits of all flows; again to end at once');
      void patrol.stop();
    } else if (now - signalled > SAME_SIGNAL_MS) {
      screen.clear();
      // process.exit would wait for threads, and one may hang in a read: so we die of the signal, which a shell shows as 130
      process.removeListener('SIGINT', onSignal);
      process.kill(process.pid, 'SIGINT');
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  let redraw: NodeJS.Timeout | undefined;
  try {
    await patrol.start();
    if (screen.terminal) {
      const first = sampleOf(patrol.snapshot(), performance.now());
      let before = first;
      redraw = setInterval(() => {
        const now = sampleOf(patrol.snapshot(), performance.now());
        screen.status(statusLine(now, before, first, screen.columns));
        before = now;
      }, REDRAW_MS);
    }
    await patrol.done;
  } catch (error) {
    if (error instanceof ListError) throw usageError(error.message, error.hint);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw runError(message);
  } finally {
    clearInterval(redraw);
    screen.clear();
  }
}

/** What a run with a data directory has beside its patrol. */
interface Surroundings {
  /** The configuration with what is stored. */
  readonly config: Config;
  /** What scripts and their switches are kept in. */
  readonly stores: ScriptStores;
  /** Lets `top` and `prefs` in. */
  serve(patrol: Patrol): Promise<void>;
  close(): Promise<void>;
}

async function openSurroundings(config: Config, directory: string, version: string, log: Log): Promise<Surroundings> {
  const [
    { lockDataDirectory },
    { openSettings, SettingsError },
    { createPreferenceBook },
    { createScriptSwitches },
    { openCacheStore },
    { createApi },
    { serveControl },
    { SocketError },
  ] = await Promise.all([
    import('./data-directory.ts'),
    import('../store/settings.ts'),
    import('../store/preferences.ts'),
    import('../store/script-switches.ts'),
    import('../store/script-cache.ts'),
    import('../api/app.ts'),
    import('../api/socket.ts'),
    import('../api/address.ts'),
  ]);
  const asRunError = (error: unknown): never => {
    if (error instanceof SettingsError || error instanceof SocketError) throw runError(error.message, 'give another directory with -d');
    throw error;
  };
  const closing: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let step = closing.pop(); step !== undefined; step = closing.pop()) await step();
  };
  const lock = lockDataDirectory(directory);
  closing.push(() => lock.release());
  try {
    const settings = openSettings(directory, (text) => log.warn({}, text));
    closing.push(() => settings.close());
    let patrol: Patrol | undefined;
    const preferences = createPreferenceBook({
      settings,
      commandLine: config.preferences,
      changed: (values) => patrol?.setPreferences(values),
    });
    return {
      stores: { switches: createScriptSwitches(settings), cache: openCacheStore(directory) },
      config: withPreferences(config, preferences.values()),
      close,
      async serve(running) {
        patrol = running;
        const begun = performance.now();
        const api = createApi({
          version,
          startedAt: Date.now(),
          uptime: () => (performance.now() - begun) / 1000,
          snapshot: () => running.snapshot(),
          queryFlows: (query, signal) => running.queryFlows(query, signal),
          listStatus: () => running.listStatus(),
          scripts: running.scripts,
          hosts: running.hostBook(),
          preferences,
          log,
        });
        const control = await serveControl(api, directory).catch(asRunError);
        closing.push(() => control.close());
      },
    };
  } catch (error) {
    await close();
    return asRunError(error);
  }
}

/** @returns the exit code */
export async function run(given: Config, kindOf: (name: string) => InterfaceKind, version: string, screen: Screen): Promise<number> {
  const log = createLog(given.logLevel, screen, !process.env.NO_COLOR);
  const around = given.dataDirectory === undefined ? undefined : await openSurroundings(given, given.dataDirectory, version, log);
  const config = around?.config ?? given;
  const { createPatrol } = await import('../patrol.ts');
  let snapshot: Snapshot;
  try {
    const patrol = createPatrol(config, log, kindOf, around?.stores);
    await around?.serve(patrol);
    await play(patrol, screen);
    snapshot = patrol.snapshot();
  } finally {
    await around?.close();
  }
  for (const { name, counters } of snapshot.interfaces) log.debug({ interface: name, counters }, 'all counters');
  screen.line('');
  for (const line of summary(snapshot)) screen.line(line);
  if (hidesCallbacks(config, snapshot))
    screen.line('On captures only protocolDetected is called; --pcap-callbacks all calls the others too.');
  return exitCodeOf(snapshot);
}
