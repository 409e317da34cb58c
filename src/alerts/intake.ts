/**
 * What becomes of what scripts and the core raise, in the main thread:
 *
 *   raised ─► excluded? ─► repeats an open alert? ─► suppressed? ─► over the limit of a host? ─► new Alert
 *               │                  │ counted on it        │                    │                    │
 *               └──────────────────┴── counted by reason ─┴────────────────────┘      history ─► listeners
 *
 * A repetition is counted on its alert before the window of suppression is asked: it is no news, and costs nobody attention. All windows
 * go by the time of the traffic. A listener hears of an alert when it is stored; of those of a script in shadow nobody hears.
 */
import type { Log } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import type { Translate } from '../scripts/locales.ts';
import type { AlertQuery, History } from '../store/history.ts';
import type { Alert, AlertState, RaisedFlowAlert } from './alert.ts';
import type { Clock } from './clock.ts';
import { ALERT_COUNTERS, type AlertCounter, type AlertCounts, noAlerts } from './counters.ts';
import type { Exclusions } from './exclusions.ts';
import { createAlertIds } from './ids.ts';
import { createHostLimit, createSuppression } from './limits.ts';
import { createMerging, flowIdOf, MOST_OPEN } from './merging.ts';
import { newAlert } from './new-alert.ts';
import { createStrongest } from './strongest.ts';
import { type AlertListener, createWriting } from './writing.ts';

/** What somebody says about alerts. */
export interface StateChange {
  readonly state: AlertState;
  /** Who says it. */
  readonly by: string;
  readonly comment: string;
}

export interface BulkChange {
  /** Alerts that were changed. */
  readonly changed: number;
  /** False: more match than one change takes; say it again. */
  readonly complete: boolean;
}

export interface AlertIntake {
  /** After a restart, before the first alert: those of the history whose window is open can be repeated. @returns how many */
  resume(): Promise<number>;
  /**
   * Takes alerts over. @param live false: a capture, which has no limit per host and waits for the store
   * @returns a promise, where the one who raises them should wait for it before it raises more
   */
  raised(alerts: readonly RaisedFlowAlert[], live: boolean): Promise<void> | undefined;
  /** @returns ends it */
  listen(listener: AlertListener): () => void;
  /** The alert as it is now, also where its newest state is not stored yet. */
  alert(id: string): Promise<Alert | undefined>;
  /** Acknowledges, closes, opens again. Stored when it resolves. @returns alerts that there are */
  change(ids: readonly string[], change: StateChange): Promise<number>;
  /** The same for all that match. */
  changeAll(query: Pick<AlertQuery, 'filter' | 'from' | 'to' | 'states' | 'shadow'>, change: StateChange): Promise<BulkChange>;
  /** Of an interface, or of all. */
  counters(interfaceName?: string): AlertCounts;
  /** Resolves when everything that came before is stored; rejects when the store fails. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AlertIntakeOptions {
  readonly history: Pick<History, 'putAlerts' | 'alert' | 'alerts'>;
  readonly exclusions: Pick<Exclusions, 'find' | 'flush'>;
  readonly preferences: () => Pick<Preferences, 'alert_merge_window' | 'alert_suppress_window' | 'alert_host_limit'>;
  /** Hears of new alerts before they are stored; those of scripts in shadow are among them. */
  readonly announce?: (alerts: readonly Alert[]) => void;
  /** alertTranslator (words.ts). */
  readonly translate: Translate;
  readonly clock: Clock;
  readonly log: Pick<Log, 'error' | 'info'>;
}

/**
 * Alerts on their way to the store: from so many on a capture waits; beyond the other, alerts of live interfaces are dropped, and those
 * of captures where the store fails.
 */
const ENOUGH_WAITING = 1000;
const MOST_WAITING = 5000;
/** Alerts between two looks at what can be forgotten. */
const SWEEP_EVERY = 4096;
/** How often hits of exclusions are written, ms. */
const HITS_MS = 10_000;
/** Alerts that one change of many takes. */
const MOST_CHANGED = 2000;
const CHANGE_PAGE = 1000;
const LONGEST_COMMENT = 4000;

export function createAlertIntake(options: AlertIntakeOptions): AlertIntake {
  const { history, exclusions, preferences, announce = () => {}, translate, clock, log } = options;
  const nextId = createAlertIds(clock);
  const listeners = new Set<AlertListener>();
  const counts = new Map<string, Record<AlertCounter, number>>();
  const clocks = new Map<string, number>(); // newest time of the traffic, by interface
  const mergeUs = (): number => preferences().alert_merge_window * 1e6;
  const merging = createMerging(mergeUs);
  const suppression = createSuppression(() => preferences().alert_suppress_window * 1e6);
  const limit = createHostLimit(() => preferences().alert_host_limit);
  const strongest = createStrongest();
  let sinceSweep = 0;
  let failing = false;
  let cancelHits: (() => void) | undefined;

  const writing = createWriting({
    history,
    clock,
    held: merging.get,
    replaced: merging.replace,
    announce,
    tell(events) {
      if (failing) log.info({}, 'alerts are stored again');
      failing = false;
      const open = events.filter(({ alert }) => !alert.shadow);
      if (open.length === 0) return;
      for (const listener of listeners) {
        try {
          listener(open);
        } catch (error) {
          log.error({}, `a listener for alerts failed: ${(error as Error).message}`);
        }
      }
    },
    failed(error) {
      if (!failing) log.error({}, `alerts cannot be stored, trying again: ${error.message}`);
      failing = true;
    },
  });

  function countsOf(name: string): Record<AlertCounter, number> {
    let of = counts.get(name);
    if (of === undefined) counts.set(name, (of = noAlerts()));
    return of;
  }

  const clockOf = (name: string): number => clocks.get(name) ?? 0;
  function sweep(): void {
    sinceSweep = 0;
    merging.sweep(clockOf);
    suppression.sweep(clockOf);
    limit.sweep(clockOf);
  }

  function writeHits(): void {
    cancelHits = undefined;
    try {
      exclusions.flush();
    } catch (error) {
      log.error({}, `hits of exclusions are not stored: ${(error as Error).message}`);
    }
  }

  /** The flow has one alert that counts. @returns does `alert` come behind another one? */
  function rank(flow: string, alert: Alert): boolean {
    const behind = strongest.raised(flow, alert);
    if (behind === 'this') return true;
    if (behind !== undefined) writing.edit(behind.id, (other) => (other.secondary ? undefined : { ...other, secondary: true }));
    return false;
  }

  function fate(raised: RaisedFlowAlert, live: boolean): AlertCounter {
    if (exclusions.find(raised) !== undefined) {
      cancelHits ??= clock.after(HITS_MS, writeHits);
      return 'excluded';
    }
    const open = merging.merge(raised);
    if (open !== undefined) {
      rank(flowIdOf(raised), open);
      writing.touch(open);
      return 'merged';
    }
    if (suppression.silent(raised)) return 'suppressed';
    if (live && !limit.allows(raised)) return 'limited';
    if ((live || failing) && writing.size >= MOST_WAITING) return 'dropped';
    const made = newAlert(raised, raised.id ?? nextId(), translate);
    const alert = { ...made, secondary: rank(flowIdOf(raised), made) };
    if (mergeUs() > 0) merging.open(alert);
    suppression.shown(raised);
    writing.put(alert, true);
    return 'shown';
  }

  /** @param alerts by id, as they are in the history where that is known */
  async function change(alerts: ReadonlyMap<string, Alert | undefined>, { state, by, comment }: StateChange): Promise<number> {
    const at = clock.now() * 1000;
    let found = 0;
    for (const [id, known] of alerts) {
      const edited = (alert: Alert): Alert => {
        found++;
        return { ...alert, state, by, comment: comment.slice(0, LONGEST_COMMENT), changed: at };
      };
      writing.edit(id, edited, known);
    }
    await writing.flush();
    return found;
  }

  return {
    async resume() {
      const from = clock.now() * 1000 - mergeUs();
      const { rows } = await history.alerts({
        ...{ filter: '', states: ['new', 'acknowledged'], from, to: clock.now() * 1000 },
        ...{ sort: 'lastTime', descending: true, limit: MOST_OPEN, offset: 0 },
      });
      for (const alert of rows.toReversed()) if (alert.lastTime >= from && merging.get(alert.id) === undefined) merging.open(alert);
      return rows.length;
    },

    raised(alerts, live) {
      for (const raised of alerts) {
        const of = countsOf(raised.interface);
        if (raised.time > clockOf(raised.interface)) clocks.set(raised.interface, raised.time);
        of.raised++;
        of[fate(raised, live)]++;
        if (++sinceSweep >= SWEEP_EVERY) sweep();
      }
      return live || failing || writing.size < ENOUGH_WAITING ? undefined : writing.below(ENOUGH_WAITING);
    },

    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    alert: async (id) => writing.waiting(id) ?? merging.get(id) ?? (await history.alert(id)),

    change: (ids, to) => change(new Map(ids.map((id) => [id, undefined])), to),

    async changeAll(query, to) {
      await writing.flush(); // what is asked is the store
      const found = new Map<string, Alert>();
      let looked = 0;
      let total = Number.POSITIVE_INFINITY;
      while (looked < Math.min(total, MOST_CHANGED)) {
        const page = await history.alerts({ ...query, sort: 'time', descending: true, limit: CHANGE_PAGE, offset: looked });
        ({ total } = page);
        if (page.rows.length === 0) break;
        looked += page.rows.length;
        for (const alert of page.rows) found.set(alert.id, alert);
      }
      return { changed: await change(found, to), complete: looked >= total };
    },

    counters(name) {
      if (name !== undefined) return { ...(counts.get(name) ?? noAlerts()) };
      const sum = noAlerts();
      for (const of of counts.values()) for (const { name: counter } of ALERT_COUNTERS) sum[counter] += of[counter];
      return sum;
    },

    flush: writing.flush,

    async close() {
      cancelHits?.();
      writeHits();
      const lost = await writing.close();
      if (lost > 0) log.error({}, `${lost} alerts could not be stored and are lost`);
      listeners.clear();
    },
  };
}
