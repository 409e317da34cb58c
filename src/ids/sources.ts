/**
 * All sources of alerts of a run, files and syslog: their texts in, batches of alerts out. Lives in the main thread, which
 * hands the batches to the interface threads (src/interfaces/ids.ts) and shows the counters.
 */
import type { IdsAlert } from './alert.ts';
import { type EveRefusal, MAX_EVE_LINE, readEve } from './eve.ts';
import { type After, createFollower, type Follower } from './follow.ts';
import { parseIdsOption } from './option.ts';
import { listenSyslog, type SyslogListener } from './syslog.ts';

export { IdsError, parseIdsOption } from './option.ts';

/** What the sources count, with whether it is a loss: something came and could not be used. */
export const IDS_COUNTERS = [
  { name: 'received', help: 'lines of files and syslog messages', loss: false },
  { name: 'alerts', help: 'alerts among them', loss: false },
  { name: 'other', help: 'other events, and messages of other programs', loss: false },
  { name: 'withoutAddresses', help: 'alerts about packets without IP, which belong to no flow', loss: false },
  { name: 'malformed', help: 'damaged: no JSON object, or an alert without valid time, addresses, ports, protocol or VLAN', loss: true },
  { name: 'tooLong', help: 'lines of more than 64 KiB', loss: true },
  { name: 'rotations', help: 'files that took the place of the one before', loss: false },
  { name: 'truncations', help: 'files that got shorter', loss: false },
] as const;

export type IdsCounterName = (typeof IDS_COUNTERS)[number]['name'];
export type IdsCounters = Readonly<Record<IdsCounterName, number>>;

export interface IdsSourcesOptions {
  /** Files are read from their end; otherwise they are finished and read from their beginning. */
  readonly live: boolean;
  /** At most {@link BATCH_ALERTS} alerts, in the order they came. */
  onAlerts(batch: readonly IdsAlert[]): void;
  readonly log: { info(text: string): void; warn(text: string): void };
  readonly after?: After;
}

export interface IdsSources {
  /** Looks at all files now. Resolves when their alerts have been handed out; never rejects. */
  poll(): Promise<void>;
  /** Hands out nothing more, frees files and ports. */
  close(): Promise<void>;
  counters(): IdsCounters;
}

/** Most alerts handed out at once. */
export const BATCH_ALERTS = 256;

/**
 * Opens everything; a file that is not there is waited for.
 * @throws IdsError when a text has no meaning or a port cannot be had
 */
export async function openIdsSources(texts: readonly string[], { live, onAlerts, log, after }: IdsSourcesOptions): Promise<IdsSources> {
  const sources = texts.map(parseIdsOption);
  const counts: Record<'received' | 'alerts' | EveRefusal, number> = {
    received: 0,
    alerts: 0,
    other: 0,
    malformed: 0,
    tooLong: 0,
    withoutAddresses: 0,
  };
  const followers: Follower[] = [];
  const listeners: SyslogListener[] = [];
  const damaged = new Set<string>();
  let batch: IdsAlert[] = [];
  let scheduled = false;
  let closed = false;

  const flush = (): void => {
    scheduled = false;
    if (batch.length === 0 || closed) return;
    const full = batch;
    batch = [];
    onAlerts(full);
  };

  /** Damage is counted; the first of each source is shown, so that a wrong file or sender is seen. */
  const refuse = (source: string, reason: EveRefusal, line: string): void => {
    counts[reason]++;
    if (reason === 'other' || reason === 'withoutAddresses' || damaged.has(source)) return;
    damaged.add(source);
    const what =
      reason === 'tooLong' ? 'a line of more than 64 KiB' : `a line that is no EVE record: ${JSON.stringify(line.slice(0, 100))}`;
    log.warn(`${source}: ${what}; it and those like it are left out and counted (is it Suricata's eve.json?)`);
  };

  const take = (source: string, line: string): void => {
    counts.received++;
    const result = readEve(line);
    if (typeof result === 'string') {
      refuse(source, result, line);
      return;
    }
    counts.alerts++;
    batch.push(result);
    if (batch.length >= BATCH_ALERTS) flush();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(flush);
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all([...followers, ...listeners].map((source) => source.close()));
  };

  const poll = async (): Promise<void> => {
    await Promise.all(followers.map((follower) => follower.poll()));
    flush();
  };

  try {
    for (const [i, source] of sources.entries()) {
      const text = texts[i] as string;
      if (source.kind === 'udp') {
        const { address, port } = source;
        const listener = await listenSyslog({ address, port, log, onMessage: (payload) => take(text, payload) });
        listeners.push(listener);
        log.info(`alerts: listening on UDP port ${listener.port} of ${address}`);
      } else {
        const { path } = source;
        const follower = createFollower({
          path,
          from: live ? 'end' : 'start',
          finished: !live,
          maxLine: MAX_EVE_LINE,
          onLine: (line) => take(text, line),
          onTooLong: () => {
            counts.received++;
            refuse(text, 'tooLong', '');
          },
          log,
          ...(after === undefined ? {} : { after }),
        });
        followers.push(follower);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  if (live) await poll(); // the end of a file is where it ends now

  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    poll,
    close,
    counters: () => {
      const others = sum(listeners.map((listener) => listener.others()));
      return {
        ...counts,
        received: counts.received + others,
        other: counts.other + others,
        rotations: sum(followers.map((follower) => follower.rotations())),
        truncations: sum(followers.map((follower) => follower.truncations())),
      };
    },
  };
}
