/**
 * Notifications: new alerts in, to every endpoint whose filter they pass. Made once per run; wired by `intake.listen(notifier.tell)`,
 * and as the intake's `announce` by `notifier.expect`.
 *
 *   intake ──about to be stored──► filter of each endpoint ──► written down (pending.ts)
 *          ──stored──────────────► the same ──► its queue (queue.ts) ──► its transport (kinds.ts)
 *
 * Each alert is delivered at least once, also where the program is killed: the next run goes on with what is written down.
 *
 * The programming interface lists, changes and tests endpoints here. Secrets go in and never come out again.
 */
import { randomUUID } from 'node:crypto';
import type { Alert } from '../alerts/alert.ts';
import type { Clock } from '../alerts/clock.ts';
import { type AlertFilter, compileAlertFilter } from '../alerts/filter.ts';
import type { AlertEvent } from '../alerts/writing.ts';
import { FilterError } from '../filter/filter.ts';
import type { Log } from '../patrol-types.ts';
import type { History } from '../store/history.ts';
import type { Settings } from '../store/settings.ts';
import { createEndpointStore, type DeadLetter, type StoredEndpoint } from './endpoints.ts';
import { isKind, KIND_NAMES, KINDS, type Kind, type KindName } from './kinds.ts';
import { createPendingStore, type Pending, type Wanted } from './pending.ts';
import { createQueue, NOTIFY_COUNTERS, type NotifyCounts, type Queue, type QueueState } from './queue.ts';
import { checkSettings, EndpointError, type SettingValues, shownSettings } from './settings.ts';

export interface EndpointRequest {
  /** Unique. */
  readonly name: string;
  readonly kind: KindName;
  readonly enabled?: boolean;
  /** In the filter language over alerts; '' = all. */
  readonly filter?: string;
  /** s between two deliveries; what comes meanwhile goes together. */
  readonly pause?: number;
  /** As declared in KINDS. In a change: what is not given stays, `null` takes away. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** An endpoint as it is shown: without its secrets. */
export interface Endpoint extends QueueState {
  readonly id: number;
  readonly name: string;
  readonly kind: KindName;
  readonly enabled: boolean;
  readonly filter: string;
  readonly pause: number;
  readonly settings: SettingValues;
  /** Why it takes no alerts, though it is enabled: its filter does not work any more. */
  readonly broken?: string;
}

export interface TestOutcome {
  readonly delivered: boolean;
  readonly error?: string;
  readonly ms: number;
}

export interface Notifier {
  /** New alerts that are stored next. */
  expect(alerts: readonly Alert[]): void;
  /** Puts what the run before had not delivered back into the queues. @returns alerts */
  resume(): Promise<number>;
  /** Takes what an AlertIntake tells; never blocks. */
  tell(events: readonly AlertEvent[]): void;
  list(): Endpoint[];
  get(id: number): Endpoint | undefined;
  /** @throws EndpointError, FilterError */
  add(request: EndpointRequest): Endpoint;
  /** @returns undefined: there is none of that id. @throws EndpointError, FilterError */
  update(id: number, change: Partial<Omit<EndpointRequest, 'kind'>>): Endpoint | undefined;
  /** @returns alerts that waited and are gone; undefined: there is none of that id */
  remove(id: number): number | undefined;
  /** Sends an alert past filter and queue, once. @returns undefined: there is no endpoint of that id */
  test(id: number, alert: Alert): Promise<TestOutcome | undefined>;
  deadLetters(id?: number): DeadLetter[];
  /** Puts dead letters back into their queues. @returns alerts that are on their way again; those that the history has lost are gone */
  resend(ids: readonly number[]): Promise<number>;
  /** @returns letters that there were */
  discard(ids: readonly number[]): number;
  /** Of all endpoints together. */
  counters(): NotifyCounts;
  /** Lets what waits be delivered, no longer than `ms`; then ends. */
  close(ms: number): Promise<void>;
}

export interface NotifierOptions {
  readonly settings: Settings;
  readonly history: Pick<History, 'alert'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn' | 'info'>;
  /** From 0 to below 1; for the jitter of retries. */
  readonly random?: () => number;
  /** Kinds that may be added and changed; all without it. A command is one for whoever may run programs on this machine. */
  readonly kinds?: readonly KindName[];
}

const MOST_ENDPOINTS = 100;
const LONGEST_NAME = 100;
const LONGEST_PAUSE_S = 86_400;
/** Alerts that are looked for in the history at one time. */
const MOST_SOUGHT = 100;

interface Held {
  stored: StoredEndpoint;
  filter: AlertFilter | undefined;
  broken: string | undefined;
  queue: Queue;
}

const kindOf = (name: KindName): Kind => KINDS[name];
const idsOf = (alerts: readonly Alert[]): string[] => alerts.map(({ id }) => id);

export function createNotifier({ settings, history, clock, log, random = Math.random, kinds = KIND_NAMES }: NotifierOptions): Notifier {
  const store = createEndpointStore(settings, (text) => log.warn({}, text));
  const held = new Map<number, Held>();
  const gone = Object.fromEntries(NOTIFY_COUNTERS.map(({ name }) => [name, 0])) as Record<keyof NotifyCounts, number>; // of removed endpoints
  const pending = createPendingStore(settings);
  let keeping = true;
  let closed = false;

  /** What cannot be written down is delivered all the same. */
  function keep(work: () => void): void {
    try {
      work();
      keeping = true;
    } catch (error) {
      if (keeping) log.warn({}, `notifications that wait are not kept, a kill loses them: ${(error as Error).message}`);
      keeping = false;
    }
  }

  const wants = ({ stored, filter }: Held, alert: Alert): boolean => !alert.shadow && stored.enabled && filter?.matches(alert) === true;

  function queueOf({ id, name, kind, pause, settings: values }: StoredEndpoint, before?: Queue): Queue {
    const counters = before?.state().counters;
    const waiting = before?.close() ?? [];
    return createQueue({
      transport: kindOf(kind).create(values, clock),
      clock,
      pauseMs: pause * 1000,
      random,
      newId: randomUUID,
      dead(alerts, attempts, error) {
        log.warn({ endpoint: name }, `${alerts.length} alerts could not be delivered, they are among the dead letters: ${error}`);
        try {
          store.bury({ endpoint: id, time: clock.now(), alerts: idsOf(alerts), attempts, error });
          pending.done(id, idsOf(alerts));
        } catch (failure) {
          log.warn({ endpoint: name }, `a dead letter could not be kept: ${(failure as Error).message}`);
        }
      },
      begun: (alerts, delivery) => keep(() => pending.begun(id, idsOf(alerts), delivery)),
      done: (alerts) => keep(() => pending.done(id, idsOf(alerts))),
      ...(counters === undefined ? {} : { before: { counters, waiting } }),
    });
  }

  for (const stored of store.all()) {
    let filter: AlertFilter | undefined;
    let broken: string | undefined;
    try {
      filter = compileAlertFilter(stored.filter);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      broken = error.message;
      log.warn({ endpoint: stored.name }, `it gets no alerts: its filter does not work: ${broken}`);
    }
    held.set(stored.id, { stored, filter, broken, queue: queueOf(stored) });
  }

  function shown({ stored, broken, queue }: Held): Endpoint {
    const values = shownSettings(kindOf(stored.kind).settings, stored.settings);
    return { ...stored, settings: values, ...(broken === undefined ? {} : { broken }), ...queue.state() };
  }

  function checked(given: Omit<EndpointRequest, 'enabled' | 'settings'> & { filter: string; pause: number }, id?: number): AlertFilter {
    const { name, kind, pause } = given;
    if (!kinds.includes(kind)) throw new EndpointError(`notifications of the kind '${kind}' may not be added or changed here`);
    if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME) {
      throw new EndpointError(`name: a text of 1 to ${LONGEST_NAME} characters is wanted`);
    }
    if (!Number.isInteger(pause) || pause < 0 || pause > LONGEST_PAUSE_S) {
      throw new EndpointError(`pause: a whole number from 0 to ${LONGEST_PAUSE_S} (s) is wanted`);
    }
    for (const { stored } of held.values()) {
      if (stored.name === name && stored.id !== id) throw new EndpointError(`there is an endpoint '${name}' already`);
    }
    return compileAlertFilter(given.filter);
  }

  /** Alerts by id, as the history has them, a few at a time. */
  async function sought(ids: readonly string[]): Promise<Map<string, Alert>> {
    const found = new Map<string, Alert>();
    for (let at = 0; at < ids.length; at += MOST_SOUGHT) {
      const alerts = await Promise.all(ids.slice(at, at + MOST_SOUGHT).map((id) => history.alert(id)));
      for (const alert of alerts) if (alert !== undefined) found.set(alert.id, alert);
    }
    return found;
  }

  return {
    expect(alerts) {
      const wanted = [...held.values()].flatMap((of) =>
        alerts.filter((alert) => wants(of, alert)).map(({ id }): Wanted => ({ endpoint: of.stored.id, alert: id })),
      );
      keep(() => pending.expect(wanted));
    },

    tell(events) {
      for (const { type, alert } of events) {
        if (type !== 'new') continue;
        for (const of of held.values()) if (wants(of, alert)) of.queue.push(alert);
      }
    },

    async resume() {
      let resumed = 0;
      for (const [endpoint, left] of Map.groupBy(pending.all(), (row: Pending) => row.endpoint)) {
        const found = await sought(left.map(({ alert }) => alert));
        if (closed) break;
        const queue = held.get(endpoint)?.queue;
        const lost = queue === undefined ? left : left.filter(({ alert }) => !found.has(alert));
        pending.done(
          endpoint,
          lost.map(({ alert }) => alert),
        );
        if (queue === undefined) continue;
        const alertsOf = (rows: readonly Pending[]): Alert[] => rows.flatMap(({ alert }) => found.get(alert) ?? []);
        const { begun = [], waiting = [] } = Object.groupBy(left, ({ delivery }) => (delivery === '' ? 'waiting' : 'begun'));
        queue.resume(alertsOf(waiting), { id: begun[0]?.delivery ?? '', alerts: alertsOf(begun) });
        resumed += left.length - lost.length;
      }
      return resumed;
    },

    list: () => [...held.values()].map(shown),
    get(id) {
      const of = held.get(id);
      return of === undefined ? undefined : shown(of);
    },

    add({ name, kind, enabled = true, filter = '', pause, settings: given }) {
      if (!isKind(kind)) throw new EndpointError(`kind: one of ${KIND_NAMES.join(', ')} is wanted`);
      if (held.size >= MOST_ENDPOINTS) throw new EndpointError(`there are ${MOST_ENDPOINTS} endpoints: remove some first`);
      const { settings: declared, pause: usual } = kindOf(kind);
      const wanted = { name, kind, enabled, filter, pause: pause ?? usual };
      const compiled = checked(wanted);
      const values = checkSettings(declared, given);
      const stored = { ...wanted, settings: values, id: store.add({ ...wanted, settings: values }) };
      const of: Held = { stored, filter: compiled, broken: undefined, queue: queueOf(stored) };
      held.set(stored.id, of);
      return shown(of);
    },

    update(id, { settings: given, ...change }) {
      const of = held.get(id);
      if (of === undefined) return undefined;
      const { stored: before } = of;
      const { name = before.name, enabled = before.enabled, filter = before.filter, pause = before.pause } = change;
      const wanted = { ...before, name, enabled, filter, pause };
      const compiled = checked(wanted, id);
      const values = given === undefined ? before.settings : checkSettings(kindOf(before.kind).settings, given, before.settings);
      const stored = { ...wanted, settings: values };
      store.put(stored);
      Object.assign(of, { stored, filter: compiled, broken: undefined, queue: queueOf(stored, of.queue) });
      return shown(of);
    },

    remove(id) {
      const of = held.get(id);
      if (of === undefined) return undefined;
      store.remove(id);
      pending.forget(id);
      held.delete(id);
      const { counters } = of.queue.state();
      const left = of.queue.close().length;
      for (const { name } of NOTIFY_COUNTERS) gone[name] += counters[name];
      gone.dropped += left;
      return left;
    },

    async test(id, alert) {
      const of = held.get(id);
      if (of === undefined) return undefined;
      const transport = kindOf(of.stored.kind).create(of.stored.settings, clock);
      const begun = clock.now();
      try {
        await transport.send({ alerts: [alert], id: randomUUID(), test: true });
        return { delivered: true, ms: clock.now() - begun };
      } catch (error) {
        return { delivered: false, error: (error as Error).message, ms: clock.now() - begun };
      } finally {
        transport.close();
      }
    },

    deadLetters: store.letters,

    async resend(ids) {
      const wanted = new Set(ids);
      let sent = 0;
      for (const letter of store.letters().filter(({ id }) => wanted.has(id))) {
        const found = await sought(letter.alerts);
        const queue = held.get(letter.endpoint)?.queue;
        if (queue === undefined) continue;
        const { endpoint } = letter;
        pending.expect([...found.keys()].map((alert) => ({ endpoint, alert })));
        store.discard([letter.id]);
        const left = [...found.values()].filter((alert) => !queue.push(alert));
        sent += found.size - left.length;
        if (left.length > 0) store.bury({ ...letter, alerts: idsOf(left) }); // no room: it stays what it was
      }
      return sent;
    },

    discard: store.discard,

    counters() {
      const states = [...held.values()].map(({ queue }) => queue.state().counters);
      const sum = (name: keyof NotifyCounts): number => states.reduce((total, counters) => total + counters[name], gone[name]);
      return Object.fromEntries(NOTIFY_COUNTERS.map(({ name }) => [name, sum(name)])) as unknown as NotifyCounts;
    },

    async close(ms) {
      closed = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(ms, resolve);
      await Promise.race([Promise.all([...held.values()].map(({ queue }) => queue.drained())), late]);
      cancel();
      let left = 0;
      for (const { queue } of held.values()) left += queue.close().length;
      held.clear();
      const then = settings.database.location() === null ? 'they are lost' : 'the next run goes on with them';
      if (left > 0) log.warn({}, `${left} notifications were not delivered before the end: ${then}`);
    },
  };
}
