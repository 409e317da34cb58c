/**
 * A run from the outside: signals, the status line, control socket and web interface, the summary at the end. Called by main.ts.
 *
 *   data directory locked ► settings opened ► web, control socket ► patrol.start … patrol.done ► all of it given up ► summary
 */
import { resolve } from 'node:path';
import type { ApiDependencies } from '../api/dependencies.ts';
import { type Config, DEFAULT_WEB, type WebAddress } from '../config.ts';
import { hostData } from '../hosts/host-data.ts';
import { ListError } from '../hosts/lists/declaration.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import type { PatrolStores } from '../patrol.ts';
import type { LossSnapshot, Patrol, Snapshot } from '../patrol-types.ts';
import { runError, usageError } from './errors.ts';
import { withPreferences } from './parse.ts';
import { sampleOf, statusLine } from './progress.ts';
import { createLog, type Screen } from './screen.ts';
import { type LimitedLog, limitScriptErrors } from './script-errors.ts';
import { summary } from './summary.ts';

/** Folder of the project. */
const PROJECT = resolve(import.meta.dirname, '../..');
const REDRAW_MS = 1000;
const FIGURES_MS = 1000;
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

const withLosses = (snapshot: Snapshot, more: readonly LossSnapshot[]): Snapshot => ({
  ...snapshot,
  losses: [...snapshot.losses, ...more],
});

/** Where the web interface listens; undefined: there is none. A run that ends by itself has one only where it is asked for. */
export function webOf({ web, shutdownWhenDone }: Config): WebAddress | undefined {
  if (web === 'none') return undefined;
  return web ?? (shutdownWhenDone ? undefined : DEFAULT_WEB);
}

/** What a run with a data directory, or with a web interface, has beside its patrol. */
interface Surroundings {
  /** The configuration with what is stored. */
  readonly config: Config;
  /** What scripts and their switches are kept in, and where alerts and flows go. */
  readonly stores: PatrolStores;
  /** Lets `top`, `prefs` and browsers in. @returns lines for people */
  serve(patrol: Patrol): Promise<string[]>;
  /** Beside those of the patrol. */
  losses(): LossSnapshot[];
  close(): Promise<void>;
}

async function openSurroundings(config: Config, web: WebAddress | undefined, version: string, limited: LimitedLog): Promise<Surroundings> {
  const { log } = limited;
  const [
    { lockDataDirectory },
    { openSettings, SettingsError },
    { createPreferenceBook },
    { createScriptSwitches },
    { openCacheStore },
    { createApi },
    { SOCKET_USER },
    { serveControl },
    { SocketError },
    { openKeeping },
  ] = await Promise.all([
    import('./data-directory.ts'),
    import('../store/settings.ts'),
    import('../store/preferences.ts'),
    import('../store/script-switches.ts'),
    import('../store/script-cache.ts'),
    import('../api/app.ts'),
    import('../api/roles.ts'),
    import('../api/socket.ts'),
    import('../api/address.ts'),
    import('./keeping.ts'),
  ]);
  const asRunError = (error: unknown): never => {
    if (error instanceof SettingsError || error instanceof SocketError) throw runError(error.message, 'give another directory with -d');
    throw error;
  };
  const { dataDirectory: directory } = config;
  const closing: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let step = closing.pop(); step !== undefined; step = closing.pop()) await step();
  };
  if (directory !== undefined) {
    const lock = lockDataDirectory(directory);
    closing.push(() => lock.release());
  }
  try {
    const settings = openSettings(directory, (text) => log.warn({}, text));
    closing.push(() => settings.close());
    let patrol: Patrol | undefined;
    const preferences = createPreferenceBook({
      settings,
      commandLine: config.preferences,
      changed: (values) => patrol?.setPreferences(values),
    });
    const keeping = await openKeeping({
      directory,
      language: config.language,
      localNotifications: config.localNotifications,
      settings,
      preferences: () => preferences.values(),
      hosts: hostData(config),
      names: () => patrol?.hostBook().names() ?? [],
      log,
    });
    closing.push(() => keeping.close());
    let losses = (): LossSnapshot[] => [...keeping.losses(), ...limited.losses()];
    return {
      stores: {
        ...keeping.stores,
        switches: createScriptSwitches(settings),
        ...(directory === undefined ? {} : { cache: openCacheStore(directory) }),
        stays: web !== undefined && !config.shutdownWhenDone,
      },
      config: withPreferences(config, preferences.values()),
      close,
      losses: () => losses(),
      async serve(running) {
        patrol = running;
        const figures = setInterval(() => keeping.tick(running.snapshot()), FIGURES_MS).unref();
        closing.push(() => clearInterval(figures));
        const begun = performance.now();
        let dependencies: ApiDependencies = {
          version,
          startedAt: Date.now(),
          uptime: () => (performance.now() - begun) / 1000,
          snapshot: () => withLosses(running.snapshot(), losses()),
          queryFlows: (query, signal) => running.queryFlows(query, signal),
          queryHosts: (query, signal) => running.queryHosts(query, signal),
          regulate: (id, change) => running.regulate(id, change),
          listStatus: () => running.listStatus(),
          scripts: running.scripts,
          hosts: running.hostBook(),
          preferences,
          log,
          ...keeping.parts,
        };
        const lines: string[] = [];
        if (web !== undefined) {
          const { openWeb } = await import('./web.ts');
          const opened = await openWeb({ config, where: web, project: PROJECT, settings, patrol: running, log });
          closing.push(() => opened.close());
          keeping.publish(opened.parts.hub);
          losses = () => [...keeping.losses(), ...opened.losses(), ...limited.losses()];
          dependencies = { ...dependencies, ...opened.parts };
          lines.push(...(await opened.listen(dependencies)));
        }
        if (directory !== undefined) {
          const control = await serveControl(
            createApi(dependencies, () => SOCKET_USER),
            directory,
          ).catch(asRunError);
          closing.push(() => control.close());
        }
        return lines;
      },
    };
  } catch (error) {
    await close();
    return asRunError(error);
  }
}

/** What is left to do when the captures are read and the run goes on. */
function whenRead(patrol: Patrol, screen: Screen, config: Config): void {
  void patrol.read.then(() => {
    const { interfaces } = patrol.snapshot();
    // nothing to show, and nothing that could still come
    if (interfaces.every(({ state }) => state === 'failed')) void patrol.stop();
    else if (config.interfaces.length > 0) screen.line('All captures are read; the web interface shows what was found. Ctrl-C ends.');
  });
}

/** @returns the exit code */
export async function run(given: Config, kindOf: (name: string) => InterfaceKind, version: string, screen: Screen): Promise<number> {
  const limited = limitScriptErrors(createLog(given.logLevel, screen, !process.env.NO_COLOR, given.logFormat), () => performance.now());
  const { log } = limited;
  const web = webOf(given);
  const around = given.dataDirectory === undefined && web === undefined ? undefined : await openSurroundings(given, web, version, limited);
  const config = around?.config ?? given;
  const others = given.interfaces.filter((name) => kindOf(name) !== 'packet');
  if (given.captureThreads > 1 && others.length > 0)
    log.warn({}, `--capture-threads is for network interfaces: one thread reads -i ${others.join(', -i ')}`);
  const { createPatrol } = await import('../patrol.ts');
  let snapshot: Snapshot;
  try {
    const patrol = createPatrol(config, log, kindOf, around?.stores);
    for (const line of (await around?.serve(patrol)) ?? []) screen.line(line);
    if (around?.stores.stays === true) whenRead(patrol, screen, config);
    await play(patrol, screen);
    snapshot = withLosses(patrol.snapshot(), (around ?? limited).losses());
  } finally {
    await around?.close();
  }
  const asked = { ...snapshot, interfaces: snapshot.interfaces.filter(({ name }) => config.interfaces.includes(name)) };
  for (const { name, counters } of asked.interfaces) log.debug({ interface: name, counters }, 'all counters');
  screen.line('');
  for (const line of summary(snapshot)) screen.line(line);
  if (hidesCallbacks(config, snapshot))
    screen.line('On captures only protocolDetected is called; --pcap-callbacks all calls the others too.');
  return exitCodeOf(asked);
}
