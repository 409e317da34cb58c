/**
 * Does a host of ours send a lot of data away?
 *
 * Many small flows add up: bytes are counted for each local host and remote server over an hour. Over 64 MiB, and four times what came
 * back, make one alert. `periodicUpdate` sees flows that live long, `idle` all of them at their end; each counts what is new.
 */
import { cache, defineScript, type Flow, type Info } from 'flowpatrol';

const LIMIT = 64 * 2 ** 20; // bytes
const HOUR = 3600; // seconds
/** Backups and the like: servers that may get as much as they want. */
const MAY = new Set(['198.51.100.200']);

/** What is counted of a flow already, by its id. It lives as long as this version of the script is loaded. */
const counted = new Map<string, { readonly sent: number; readonly received: number }>();

/** Adds to a counter in the cache that begins anew an hour after its first addition. */
function add(counter: string, bytes: number): number {
  const sum = cache.increment(counter, bytes);
  if (sum === bytes) cache.expire(counter, HOUR);
  return sum;
}

function count(info: Info, flow: Flow): void {
  if (!info['cli.localhost'] || info['srv.localhost'] || MAY.has(info['srv.ip'])) return;
  const hosts = `large_upload:${info['cli.ip']}:${info['srv.ip']}`;
  const total = { sent: info['cli2srv.bytes'], received: info['srv2cli.bytes'] };
  const before = counted.get(info['flow.id']) ?? { sent: 0, received: 0 };
  counted.set(info['flow.id'], total);
  const sent = add(`${hosts}:sent`, total.sent - before.sent);
  const received = add(`${hosts}:received`, total.received - before.received);

  if (sent < LIMIT || sent < 4 * received || cache.get(`${hosts}:told`) !== undefined) return;
  cache.set(`${hosts}:told`, '1', HOUR);
  flow.alert('flow_misbehaviour', 'warning', {
    sent_mib: Math.round(sent / 2 ** 20),
    received_mib: Math.round(received / 2 ** 20),
    within_s: HOUR,
    server_name: info.host_server_name,
    country: info['srv.country'],
  });
}

export default defineScript({
  key: 'large_upload',
  title: 'Large upload',
  description: 'Alerts when a local host sends much more to a remote server than it gets back',

  periodicUpdate: count,
  idle(info, flow) {
    count(info, flow);
    counted.delete(info['flow.id']); // the flow is over: forget it, or the map grows for ever
  },
});
