/**
 * Does a host call home like a clock?
 *
 * Malware that waits for orders asks for them at a regular interval, day and night. For each client, server and port the cache keeps
 * when the last flows began. Nine flows with gaps that hardly differ make an alert, once a day. Some updaters do the same: name them in MAY.
 */
import { cache, defineScript } from 'flowpatrol';

const FLOWS = 9;
/** Seconds. Shorter gaps are those of one busy page, longer ones take days to tell. */
const SHORTEST = 10;
const LONGEST = 3600;
/** Standard deviation of the gaps, as a part of their mean. */
const JITTER = 0.1;
/** Names of servers, and what is below them. */
const MAY = ['updates.example.com', 'monitoring.example.com'];
const DAY = 86_400;

/** Is it one of the names, or below one? `a.example.com` is below `example.com`, `notexample.com` is not. */
const isBelow = (name: string, names: readonly string[]): boolean => names.some((each) => name === each || name.endsWith(`.${each}`));

/** Gaps between times, in seconds. */
const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((time, i) => time - (times[i] ?? time));

export default defineScript({
  key: 'beaconing',
  title: 'Beaconing',
  description: 'Alerts when a local host connects to a remote server at a regular interval',

  filter: { l4: 'tcp', handshake: true }, // only TCP, and only once the server has taken the connection

  protocolDetected(info, flow) {
    if (!info['cli.localhost'] || info['srv.localhost']) return;
    if (isBelow(info.host_server_name ?? '', MAY)) return;

    const peers = `beaconing:${info['cli.ip']}:${info['srv.ip']}:${info['srv.port']}`;
    // a list in the cache: the newest FLOWS times; flows are visited in no particular order, so they are sorted
    cache.listPush(peers, String(info['seen.first']), 'right', FLOWS);
    cache.expire(peers, 2 * LONGEST);
    const times = cache
      .listRange(peers, 0, -1)
      .map(Number)
      .sort((a, b) => a - b);
    if (times.length < FLOWS) return;

    const gaps = gapsOf(times);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    if (mean < SHORTEST || mean > LONGEST || deviation > JITTER * mean) return;
    if (cache.get(`${peers}:told`) !== undefined) return;
    cache.set(`${peers}:told`, '1', DAY);
    flow.alert('suspicious_activity', 'warning', {
      every_s: Math.round(mean),
      deviation_s: Math.round(deviation * 10) / 10,
      flows: times.length,
      server_name: info.host_server_name,
      ja3: info['protos.tls.ja3.client_hash'],
    });
  },
});
