/**
 * What a run keeps of its traffic: flows, alerts and figures in the history; exclusions and notifications beside. On disk with a data
 * directory, else in memory. Called by run.ts.
 *
 *   script hosts ──flows──► recorder ──► history ◄── intake ◄──alerts── script hosts
 *                                                      └──► notifier, streams
 */
import { join } from 'node:path';
import { systemClock } from '../alerts/clock.ts';
import { createExclusions } from '../alerts/exclusions.ts';
import { createAlertIntake } from '../alerts/intake.ts';
import { alertTranslator } from '../alerts/words.ts';
import type { ApiDependencies } from '../api/dependencies.ts';
import type { HostData } from '../hosts/host-book.ts';
import type { LearnedName } from '../hosts/names.ts';
import { KIND_NAMES } from '../notify/kinds.ts';
import { createNotifier } from '../notify/notifier.ts';
import { NOTIFY_COUNTERS } from '../notify/queue.ts';
import type { PatrolStores } from '../patrol.ts';
import type { Log, LossSnapshot, Snapshot } from '../patrol-types.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../preferences.ts';
import { type HistoryThread, startHistory } from '../server/history-thread.ts';
import type { Hub } from '../server/hub.ts';
import { HistoryError } from '../store/history-checks.ts';
import type { Settings } from '../store/settings.ts';
import { runError } from './errors.ts';

/** How often what is too old goes, ms. */
const RETAIN_MS = 600_000;
/** Notifications that are under way at the end get so long, ms. */
const LAST_MS = 3000;
const DAY_S = 86_400;

export interface Keeping {
  readonly stores: Required<Pick<PatrolStores, 'alerts' | 'flows' | 'learned'>>;
  readonly parts: Required<Pick<ApiDependencies, 'history' | 'alerts' | 'exclusions' | 'notifier'>>;
  /** Figures over time; called every second. */
  tick(snapshot: Snapshot): void;
  losses(): LossSnapshot[];
  /** Alerts go there from now on. */
  publish(hub: Hub): void;
  /** Writes what is under way. */
  close(): Promise<void>;
}

export interface KeepingOptions {
  readonly directory: string | undefined;
  readonly language: string;
  /** Notifications may write files and start programs of this machine. */
  readonly localNotifications: boolean;
  readonly settings: Settings;
  readonly preferences: () => Partial<Preferences>;
  /** For a book of hosts of its thread. */
  readonly hosts: HostData;
  /** All names of hosts that are known. */
  readonly names: () => readonly LearnedName[];
  readonly log: Log;
}

/** @throws CommandError */
async function openHistory(...of: Parameters<typeof startHistory>): Promise<HistoryThread> {
  try {
    return await startHistory(...of);
  } catch (error) {
    if (error instanceof HistoryError) throw runError(error.message, 'give another directory with -d');
    throw error;
  }
}

/** @throws CommandError */
export async function openKeeping({
  directory,
  language,
  localNotifications,
  settings,
  preferences: stored,
  hosts,
  names,
  log,
}: KeepingOptions): Promise<Keeping> {
  const preferences = (): Preferences => ({ ...DEFAULT_PREFERENCES, ...stored() });
  let complained = 0;
  const complain = (message: string): void => {
    // once, then as often as it doubles: a full disk fails every second
    if ((++complained & (complained - 1)) === 0)
      log.error({}, `the history: ${message}${complained === 1 ? '' : ` (${complained} times)`}`);
  };
  const thread = await openHistory({ directory, hosts }, complain, names);
  const { history } = thread;
  const exclusions = createExclusions(settings, systemClock, (text) => log.warn({}, text));
  const translate = alertTranslator(language, directory === undefined ? [] : [join(directory, 'locales')]);
  const kinds = KIND_NAMES.filter((kind) => localNotifications || (kind !== 'file' && kind !== 'command'));
  const notifier = createNotifier({ settings, history, clock: systemClock, log, kinds });
  const announce = notifier.expect;
  const intake = createAlertIntake({ history, exclusions, preferences, announce, translate, clock: systemClock, log });
  const resumed = notifier.resume().then(
    (alerts) => alerts > 0 && log.info({}, `${alerts} alerts that were not delivered before the end of the last run go out now`),
    (error: Error) => log.error({}, `what was not delivered before stays where it is: ${error.message}`),
  );
  await intake.resume(); // repetitions of what is stored are no new alerts
  intake.listen(notifier.tell);
  intake.listen((events) => thread.alerts(events));

  const retain = async (): Promise<void> => {
    const { history_days, history_alerts, history_bytes } = preferences();
    try {
      const gone = await history.retain(
        { seconds: history_days * DAY_S, mostAlerts: history_alerts, mostBytes: history_bytes },
        Date.now() * 1000,
      );
      if (gone > 0) log.info({}, `${gone} entries of the history were too old, or too many, and are gone`);
    } catch (error) {
      log.error({}, `the history cannot be cleaned up: ${(error as Error).message}`);
    }
  };
  const retaining = setInterval(() => void retain(), RETAIN_MS).unref();
  void retain();

  return {
    stores: { alerts: intake, flows: (batch, of) => thread.record(batch, of), learned: (names) => thread.learned(names) },
    parts: { history, alerts: intake, exclusions, notifier },
    tick: (snapshot) => thread.figures(snapshot),
    losses: () => {
      const counts = notifier.counters();
      return [
        ...thread.losses(),
        ...NOTIFY_COUNTERS.filter(({ loss }) => loss).map(({ name, help }) => ({
          name: `notifications.${name}`,
          help,
          value: counts[name],
        })),
      ].filter(({ value }) => value > 0);
    },
    publish(hub) {
      intake.listen((events) => {
        for (const event of events) hub.publish('alerts', event);
      });
    },
    async close() {
      clearInterval(retaining);
      await thread.flush();
      await intake.close();
      await resumed;
      await notifier.close(LAST_MS);
      await history.close();
    },
  };
}
