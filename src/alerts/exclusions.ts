/**
 * Exclusions: alerts that nobody wants to see again, as data. Each is a line in the filter language over alerts (filter.ts) with a comment,
 * an owner, a time in which it holds, and a counter of its hits; kept in the settings file.
 *
 *   intake ──alert──► find: the first that matches, its hit counted         programming interface ──► list, add, update, remove
 *   alert ──suggest──► lines to begin with         line ──preview──► what it would have kept away
 *
 * Times are those of the traffic: an exclusion from 02:00 to 04:00 is one for a capture that was taken then, too.
 */
import type { Comparison, FilterNode } from '../filter/ast.ts';
import { FilterError, formatFilter, parseFilter } from '../filter/filter.ts';
import type { History } from '../store/history.ts';
import type { Settings } from '../store/settings.ts';
import type { Alert, RaisedFlowAlert } from './alert.ts';
import type { Clock } from './clock.ts';
import { type AlertFilter, compileAlertFilter } from './filter.ts';

export interface ExclusionRequest {
  /** In the filter language; not empty. */
  readonly filter: string;
  readonly comment: string;
  /** Who answers for it. */
  readonly owner: string;
  /** Traffic times within which it holds, µs since 1970; absent = from ever, for ever. */
  readonly starts?: number | undefined;
  readonly expires?: number | undefined;
}

export interface Exclusion extends ExclusionRequest {
  readonly id: number;
  /** µs since 1970, wall clock. */
  readonly created: number;
  readonly hits: number;
  /** Traffic time of the newest alert that it kept away. */
  readonly lastHit?: number;
  /** Why it does not work any more: a field that is gone. */
  readonly error?: string;
}

/** What is wrong with an exclusion, beside its filter. */
export class ExclusionError extends Error {}

/** A line to begin with: what it is about, and the filter. From narrow to wide. */
export interface Suggestion {
  readonly about: 'pair' | 'name' | 'client' | 'server' | 'network' | 'protocol' | 'type';
  readonly filter: string;
}

export interface Preview {
  /** Alerts in the history that it would have kept away, by count of what they stand for too. */
  readonly matched: number;
  readonly raised: number;
  readonly looked: number;
  /** The newest of them. */
  readonly examples: readonly Alert[];
  /** False: there were more alerts than a preview looks at. */
  readonly complete: boolean;
}

export interface Exclusions {
  list(): Exclusion[];
  get(id: number): Exclusion | undefined;
  /** @throws FilterError, ExclusionError */
  add(request: ExclusionRequest): Exclusion;
  /** @returns undefined: there is none of that id. @throws FilterError, ExclusionError */
  update(id: number, change: Partial<ExclusionRequest>): Exclusion | undefined;
  remove(id: number): boolean;
  /** Id of the exclusion that keeps the alert away; the hit is counted. */
  find(alert: RaisedFlowAlert): number | undefined;
  /** Writes the counters. */
  flush(): void;
}

const MOST_EXCLUSIONS = 1000;
const LONGEST_TEXT = 1000;

interface Row {
  readonly id: number;
  readonly filter: string;
  readonly comment: string;
  readonly owner: string;
  readonly created: number;
  readonly starts: number | null;
  readonly expires: number | null;
  readonly hits: number;
  readonly last_hit: number | null;
}

interface Held {
  exclusion: Exclusion;
  compiled: AlertFilter | undefined;
  changed: boolean;
}

/** @throws FilterError, ExclusionError */
function check({ filter, comment, owner, starts, expires }: ExclusionRequest): AlertFilter {
  const compiled = compileAlertFilter(filter);
  if (parseFilter(filter).kind === 'all') throw new ExclusionError('an exclusion without a filter would keep every alert away: say which');
  for (const [name, text] of [
    ['comment', comment],
    ['owner', owner],
  ] as const)
    if (text.length > LONGEST_TEXT) throw new ExclusionError(`the ${name} has ${text.length} characters; ${LONGEST_TEXT} are the most`);
  for (const time of [starts, expires])
    if (time !== undefined && !Number.isSafeInteger(time)) throw new ExclusionError('times are whole microseconds since 1970');
  if (starts !== undefined && expires !== undefined && expires <= starts) throw new ExclusionError('it would expire before it starts');
  return compiled;
}

const without = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

/** @param report takes a sentence about each stored exclusion that cannot be used */
export function createExclusions({ database }: Settings, clock: Clock, report: (text: string) => void = () => {}): Exclusions {
  const insert = database.prepare(
    'INSERT INTO alert_exclusions (filter, comment, owner, created, starts, expires) VALUES (?, ?, ?, ?, ?, ?) RETURNING id',
  );
  const put = database.prepare('UPDATE alert_exclusions SET filter = ?, comment = ?, owner = ?, starts = ?, expires = ? WHERE id = ?');
  const putHits = database.prepare('UPDATE alert_exclusions SET hits = ?, last_hit = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM alert_exclusions WHERE id = ?');

  const held = new Map<number, Held>();
  for (const row of database.prepare('SELECT * FROM alert_exclusions ORDER BY id').all() as unknown as Row[]) {
    const { starts, expires, last_hit: lastHit, ...kept } = row;
    const exclusion: Exclusion = without({
      ...kept,
      starts: starts ?? undefined,
      expires: expires ?? undefined,
      ...(lastHit === null ? {} : { lastHit }),
    });
    try {
      held.set(row.id, { exclusion, compiled: compileAlertFilter(row.filter), changed: false });
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      report(`the exclusion ${row.id} (${row.filter}) does not work: ${error.message}`);
      held.set(row.id, { exclusion: { ...exclusion, error: error.message }, compiled: undefined, changed: false });
    }
  }

  const holds = ({ starts, expires }: Exclusion, time: number): boolean =>
    (starts === undefined || time >= starts) && (expires === undefined || time < expires);

  return {
    list: () => [...held.values()].map(({ exclusion }) => exclusion),
    get: (id) => held.get(id)?.exclusion,

    add(request) {
      const compiled = check(request);
      if (held.size >= MOST_EXCLUSIONS) throw new ExclusionError(`there are ${MOST_EXCLUSIONS} exclusions: remove some first`);
      const { filter, comment, owner, starts, expires } = request;
      const created = clock.now() * 1000;
      const { id } = insert.get(filter, comment, owner, created, starts ?? null, expires ?? null) as { id: number };
      const exclusion: Exclusion = without({ id, filter, comment, owner, created, starts, expires, hits: 0 });
      held.set(id, { exclusion, compiled, changed: false });
      return exclusion;
    },

    update(id, change) {
      const entry = held.get(id);
      if (entry === undefined) return undefined;
      const { error: _, ...before } = entry.exclusion;
      const exclusion: Exclusion = without({ ...before, ...change });
      const compiled = check(exclusion);
      const { filter, comment, owner, starts, expires } = exclusion;
      put.run(filter, comment, owner, starts ?? null, expires ?? null, id);
      held.set(id, { ...entry, exclusion, compiled });
      return exclusion;
    },

    remove(id) {
      remove.run(id);
      return held.delete(id);
    },

    find(alert) {
      for (const [id, entry] of held) {
        const { exclusion, compiled } = entry;
        if (compiled === undefined || !holds(exclusion, alert.time) || !compiled.matches(alert)) continue;
        entry.exclusion = { ...exclusion, hits: exclusion.hits + 1, lastHit: Math.max(exclusion.lastHit ?? 0, alert.time) };
        entry.changed = true;
        return id;
      }
      return undefined;
    },

    flush() {
      for (const entry of held.values()) {
        if (!entry.changed) continue;
        entry.changed = false;
        const { id, hits, lastHit } = entry.exclusion;
        putHits.run(hits, lastHit ?? null, id);
      }
    },
  };
}

// "Exclude this" -------------------------------------------------------------------------------------------

const is = (field: string, value: unknown): Comparison => ({ kind: 'compare', field, op: '==', value: String(value) });

/** Lines that would keep an alert like this one away. The first is the narrowest: what a form is filled with. */
export function suggestExclusions({ script, type, flow }: RaisedFlowAlert): Suggestion[] {
  const kind = [is('script', script), is('type', type)];
  const port = flow['srv.port'];
  const ofServer = typeof port === 'number' && port !== 0 ? [is('srv.port', port)] : [];
  const line = (about: Suggestion['about'], more: readonly FilterNode[]): Suggestion => ({
    about,
    filter: formatFilter({ kind: 'and', of: [...kind, ...more] }),
  });
  const named = (about: Suggestion['about'], field: string, value: unknown): Suggestion[] =>
    typeof value === 'string' && value !== '' ? [line(about, [is(field, value)])] : [];
  return [
    line('pair', [is('client', flow['cli.ip']), is('server', flow['srv.ip']), ...ofServer]),
    ...named('name', 'domain', flow.host_server_name),
    ...named('client', 'client', flow['cli.ip']),
    ...named('server', 'server', flow['srv.ip']),
    ...named('network', 'cli.network', flow['cli.network']),
    ...named('protocol', 'proto', flow['proto.ndpi']),
    line('type', []),
  ];
}

const PREVIEW_PAGE = 1000;
const MOST_PREVIEWED = 100_000;
const MOST_EXAMPLES = 20;

/**
 * What a line would have kept away of the alerts in the history.
 * @param from traffic times, µs since 1970, both inclusive
 * @throws FilterError
 */
export async function previewExclusion(filter: string, from: number, to: number, history: Pick<History, 'alerts'>): Promise<Preview> {
  const compiled = compileAlertFilter(filter);
  const examples: Alert[] = [];
  let [matched, raised, looked, total] = [0, 0, 0, Number.POSITIVE_INFINITY];
  while (looked < Math.min(total, MOST_PREVIEWED)) {
    const page = await history.alerts({
      ...{ filter: '', from, to, sort: 'time', descending: true, shadow: false },
      ...{ limit: PREVIEW_PAGE, offset: looked },
    });
    ({ total } = page);
    for (const alert of page.rows) {
      if (!compiled.matches(alert)) continue;
      matched++;
      raised += alert.count;
      if (examples.length < MOST_EXAMPLES) examples.push(alert);
    }
    looked += page.rows.length;
    if (page.rows.length === 0) break;
  }
  return { matched, raised, looked, examples, complete: looked >= total };
}
