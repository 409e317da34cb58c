/**
 * The lifecycle contract as a small program: a model of src/flows/ that is obviously right and slow.
 *
 *   packets, clock, changes of policy ──► Model ──► what each lifecycle event has to say
 *
 * One plain object a flow. Every visit visits every flow, every status is evaluated from scratch, every statistic is computed from the
 * list of its values. Rules: docs/architecture.md and the lifecycle reference. The property tests run it beside the real engine.
 */
import type { Callback, EndReason } from '../../src/flows/event.ts';
import type { DpiHandle } from '../../src/native.ts';
import type { Preferences } from '../../src/preferences.ts';
import { createDetection } from './detection.ts';
import type { Flow, FlowEnd, Side, Visit } from './flow.ts';
import { categoryOfAddress, categoryOfName, isUnicast, type Listed, matchNetwork } from './lists.ts';
import type { Packet } from './packet.ts';
import { alertsFor, type Look, predominantOf, statusesOf } from './statuses.ts';
import { createTcp, takeSegment } from './tcp.ts';

const SECOND = 1e6;
const TCP = 6;
const MALWARE = 100;

export interface ModelPolicy {
  readonly preferences: Preferences;
  readonly listed: readonly Listed[];
}

export interface ModelOptions {
  readonly maxFlows: number;
  readonly dpiPackets: { readonly tcp: number; readonly udp: number };
  readonly dpi: DpiHandle;
  readonly protocols: readonly string[];
  readonly details: readonly string[];
  readonly localNetworks: readonly string[];
  readonly policy: ModelPolicy;
  readonly inline: boolean;
}

export interface Model {
  packet(packet: Packet): void;
  /** As FlowEngine.advance; a slice visits `flows` flows. */
  advance(time: number, flows: number): boolean;
  configure(policy: Partial<ModelPolicy>): void;
  finish(reason: EndReason): void;
  readonly counters: Readonly<Record<string, number>>;
  /** Flows that ended, by pair of protocols: flows, packets, bytes. */
  readonly ended: ReadonlyMap<string, readonly [number, number, number]>;
}

const side = (): Side => ({ bytes: 0, goodput: 0, packets: 0, fragments: 0, tos: 0, last: 0, lengths: [], gaps: [] });
const sum = ([client, server]: readonly [number, number]): number => client + server;
const both = <T>(make: (side: 0 | 1) => T): [T, T] => [make(0), make(1)];

/** @param emit is called once an event, in order; the flow is as the event shows it */
export function createModel(options: ModelOptions, emit: (flow: Flow, visit: Visit) => void): Model {
  const counters: Record<string, number> = {};
  const count = (name: string, by = 1): void => {
    counters[name] = (counters[name] ?? 0) + by;
  };
  const detection = createDetection(options.dpi, options.dpiPackets, options.details, () => count('dpi.given-up'));
  const ended = new Map<string, [number, number, number]>();
  const open = new Map<string, Flow>();
  const records: (Flow | undefined)[] = [undefined]; // place 0 is never used
  const freed: number[] = [];

  let policy = options.policy;
  let pending: Partial<ModelPolicy> = {};
  let period = policy.preferences.housekeeping_frequency * SECOND;
  let clock = 0;
  let nextVisit = 0;
  let visitNumber = 0;
  let visitTime = 0;
  let cursor = 0; // place that the visit under way comes to next, 0 = none is under way

  const active = (): number => records.filter(Boolean).length;
  const gridAfter = (time: number): number => (Math.floor(time / period) + 1) * period;

  function create(packet: Packet): Flow {
    if (open.size === options.maxFlows) makeRoom(packet.time);
    const end = ({ ip, port, mac }: Packet['from']): FlowEnd => ({
      ...{ ip, port, mac, unicast: isUnicast(ip) },
      network: matchNetwork(options.localNetworks, ip),
    });
    const { from, key, l4, vlan, isIpv6, time } = packet;
    count('flows.created');
    const flow: Flow = {
      record: freed.pop() ?? records.length,
      number: counters['flows.created'],
      ...{ key, l4, vlan, isIpv6, first: time, last: time },
      ends: [end(from), end(packet.to)],
      fromServer: (other) => other.from.ip !== from.ip || other.from.port !== from.port,
      ...{ sides: [side(), side()], tcp: createTcp(time), icmp: { type: 0, code: 0 }, quoted: undefined },
      ...{ longEcho: false, invalidQuery: false, dataQuery: false },
      ...{ shown: false, detected: false, dissected: false, knownAt: 0, found: undefined, reported: false },
      ...{ statuses: [], alerted: 0, periodicAt: undefined, visitedAt: undefined },
      previous: { bytes: [0, 0], packets: [0, 0], goodput: 0 },
      ...{ rates: { bps: [0, 0], pps: [0, 0], bpsBoth: 0, ppsBoth: 0 }, top: { bps: 0, pps: 0 }, trend: { bps: 0, pps: 0 } },
    };
    open.set(key, flow);
    records[flow.record] = flow;
    return flow;
  }

  /** The longest silent flow ends, of several the first in the table. */
  function makeRoom(time: number): void {
    const oldest = records.filter((flow) => flow !== undefined).reduce((a, b) => (b.last < a.last ? b : a));
    counters['flows.peak'] = options.maxFlows;
    visitFlow(oldest, time, 'table full');
    count('flows.evicted');
  }

  function takeIcmp(flow: Flow, { icmp, bytes, header, isIpv6 }: Packet): void {
    if (icmp === undefined) return;
    flow.icmp = icmp;
    const length = isIpv6 ? (bytes[4] << 8) | bytes[5] : ((bytes[2] << 8) | bytes[3]) - header;
    if (isIpv6 ? [128, 129].includes(icmp.type) && length > 256 : [0, 8].includes(icmp.type) && length > 128) flow.longEcho = true;
    if (isIpv6 || icmp.type !== 3 || icmp.code !== 3) return;
    const quoted = bytes.subarray(header + 8);
    const inner = (quoted[0] & 15) * 4;
    if (inner < 20 || inner + 4 > quoted.length || quoted[9] !== 17 || (((quoted[6] << 8) | quoted[7]) & 0x1fff) !== 0) return;
    flow.quoted = Buffer.of(...quoted.subarray(12, 20), ...quoted.subarray(inner, inner + 4), 17).toString('latin1');
  }

  function take(packet: Packet): void {
    const { time, wire, payload, cut, fragment, tcp } = packet;
    const flow = open.get(packet.key) ?? create(packet);
    const fromServer = flow.fromServer(packet);
    const own = flow.sides[fromServer ? 1 : 0];
    flow.last = time;
    if (own.packets === 0) own.tos = packet.tos;
    const gap = Math.floor((time - own.last) / 1000);
    if (own.packets > 0 && gap > 0 && ((tcp?.flags ?? 0) & 7) === 0) own.gaps.push(gap);
    own.packets++;
    own.bytes += wire;
    own.goodput += payload + cut;
    own.lengths.push(wire);
    if (fragment) own.fragments++;
    else if (tcp !== undefined) takeSegment(flow.tcp, fromServer, flow.first, { ...tcp, payload, time });
    else takeIcmp(flow, packet);
    own.last = time;
    flow.tcp.sides[fromServer ? 1 : 0].last = time;
    if (!flow.dissected) detection.take(flow, packet);
  }

  const isIdle = ({ l4, tcp, last }: Flow, now: number): boolean =>
    now - last > (l4 === TCP && (tcp.closing || !tcp.complete) ? 15 : policy.preferences.flow_max_idle) * SECOND;

  const isPeriodicDue = ({ first, last, periodicAt }: Flow, now: number): boolean => {
    const every = 5 * policy.preferences.flow_max_idle * SECOND;
    return (
      (Math.floor(last / SECOND) - Math.floor(first / SECOND)) * SECOND >= every && (periodicAt === undefined || now - periodicAt >= every)
    );
  };

  /** Plain averages since the previous visit; a second is the shortest time to take one over. */
  function updateRates(flow: Flow, now: number): void {
    const { visitedAt, previous, sides } = flow;
    const before = { bps: flow.rates.bpsBoth, pps: flow.rates.ppsBoth };
    if (visitedAt === undefined || now - visitedAt < SECOND) return;
    const elapsed = now - visitedAt;
    const rate = (delta: number): number => Math.fround((delta * SECOND) / elapsed);
    const bytes = both((i) => sides[i].bytes - previous.bytes[i]);
    const packets = both((i) => sides[i].packets - previous.packets[i]);
    const bps = both((i) => rate(bytes[i]));
    const pps = both((i) => rate(packets[i]));
    flow.rates = { bps, pps, bpsBoth: Math.fround(sum(bps)), ppsBoth: Math.fround(sum(pps)) };
    for (const unit of ['bps', 'pps'] as const) {
      const current = flow.rates[`${unit}Both`];
      flow.trend[unit] = current > before[unit] ? 1 : current < before[unit] ? 2 : 3;
      flow.top[unit] = Math.max(flow.top[unit], current);
    }
  }

  function look(flow: Flow, now: number, ending: boolean): { look: Look; blacklisted: [boolean, boolean]; listed: number } {
    const found = flow.found;
    const known = flow.detected ? found : undefined;
    const text = (detail: string): string => known?.details.get(detail) ?? '';
    const byName = found === undefined ? 0 : categoryOfName(policy.listed, found.details.get('host_server_name') ?? '');
    const byAddress = both((i) => categoryOfAddress(policy.listed, flow.ends[i].ip));
    const listed = byName || byAddress[1] || byAddress[0];
    const blacklisted = both((i) => byAddress[i] === MALWARE);
    const name = (id: number): string[] => (id === 0 ? [] : [options.protocols[id]]);
    const risk = (id: number): boolean => known !== undefined && ((known.risks[id >> 5] >>> (id & 31)) & 1) === 1;
    return {
      ...{ blacklisted, listed },
      look: {
        ...{ flow, now, ending, preferences: policy.preferences, text, risk },
        category: known === undefined ? 0 : listed || known.category,
        blacklisted: byName === MALWARE || blacklisted.includes(true),
        protocols: known === undefined ? [] : [...name(known.application), ...name(known.master)],
        breed: known?.breed ?? 0,
        anyRisk: known?.risks.some((bits) => bits !== 0) ?? false,
        number: (detail) => {
          const bytes = Buffer.from(text(detail), 'latin1');
          return bytes.length === 8 ? bytes.readDoubleLE() : bytes.length > 0 && bytes.length < 5 ? bytes.readUIntLE(0, bytes.length) : 0;
        },
      },
    };
  }

  function visitFlow(flow: Flow, now: number, reason: EndReason): void {
    const end = reason === '' && isIdle(flow, now) ? 'idle' : reason;
    if (!flow.dissected && (end !== '' || now - flow.last > 5 * SECOND)) detection.giveUp(flow);
    updateRates(flow, now);

    const callbacks: Callback[] = [];
    const waited = flow.dissected || now - flow.knownAt >= policy.preferences.detail_wait * 1000;
    if (flow.detected && !flow.reported && waited) {
      if (!flow.dissected) detection.peek(flow);
      flow.reported = true;
      callbacks.push('protocolDetected');
    }
    const seen = look(flow, now, end !== '');
    const before = flow.statuses;
    flow.statuses = statusesOf(seen.look);
    if (String(before) !== String(flow.statuses)) callbacks.push('statusChanged');
    if (end !== '') callbacks.push('idle');
    else if (isPeriodicDue(flow, now)) callbacks.push('periodicUpdate');

    const strongest = predominantOf(flow.statuses);
    const wasAlerted = flow.alerted !== 0;
    const alertNow = !wasAlerted && strongest !== 0 && alertsFor(strongest, policy.preferences);
    if (alertNow) {
      flow.alerted = strongest;
      count('alerts.core');
    }
    for (const callback of callbacks) count(`callbacks.${callback}`);
    if (callbacks.length > 0 || alertNow) {
      const category = flow.found === undefined ? 0 : seen.listed || flow.found.category;
      const { blacklisted } = seen;
      emit(flow, { time: now, visit: visitNumber, callbacks, end, before, alertNow, wasAlerted, category, blacklisted });
    }
    if (callbacks.includes('periodicUpdate')) flow.periodicAt = now;
    if (end === '') {
      const [client, server] = flow.sides;
      flow.visitedAt = now;
      flow.previous = {
        bytes: [client.bytes, server.bytes],
        packets: [client.packets, server.packets],
        goodput: client.goodput + server.goodput,
      };
    } else remove(flow);
  }

  function remove(flow: Flow): void {
    open.delete(flow.key);
    records[flow.record] = undefined;
    freed.push(flow.record);
    count('flows.ended');
    const name = `${flow.found?.master ?? 0}.${flow.found?.application ?? 0}`;
    const [flows, packets, bytes] = ended.get(name) ?? [0, 0, 0];
    const [client, server] = flow.sides;
    ended.set(name, [flows + 1, packets + client.packets + server.packets, bytes + client.bytes + server.bytes]);
  }

  function startVisit(time: number): void {
    visitTime = time;
    visitNumber++;
    cursor = 1;
    policy = { ...policy, ...pending };
    pending = {};
    period = policy.preferences.housekeeping_frequency * SECOND;
    counters['flows.peak'] = Math.max(counters['flows.peak'] ?? 0, active());
  }

  function goOn(flows: number, reason: EndReason): void {
    for (let left = flows; left > 0 && cursor < records.length; cursor++) {
      const flow = records[cursor];
      if (flow === undefined) continue;
      visitFlow(flow, visitTime, reason);
      left--;
    }
    if (cursor < records.length) return;
    cursor = 0;
    count('visits');
  }

  return {
    ...{ counters, ended },
    packet(packet) {
      if (nextVisit === 0) nextVisit = gridAfter(packet.time);
      while (options.inline && nextVisit <= packet.time) {
        startVisit(nextVisit);
        goOn(Number.POSITIVE_INFINITY, '');
        nextVisit = open.size === 0 ? gridAfter(packet.time) : nextVisit + period; // an empty table needs no visits
      }
      clock = Math.max(clock, packet.time);
      take(packet);
    },
    advance(time, flows) {
      clock = Math.max(clock, time);
      if (nextVisit === 0) nextVisit = gridAfter(clock);
      if (cursor === 0) {
        if (clock < nextVisit) return false;
        startVisit(nextVisit);
        count('visits.late', Math.max(0, Math.round((gridAfter(clock) - nextVisit) / period) - 1));
        nextVisit = gridAfter(clock);
      }
      goOn(flows, '');
      return cursor !== 0;
    },
    configure(changed) {
      pending = { ...pending, ...changed };
      if (changed.preferences === undefined || changed.preferences.housekeeping_frequency * SECOND === period) return;
      period = changed.preferences.housekeeping_frequency * SECOND;
      if (nextVisit !== 0) nextVisit = gridAfter(clock);
    },
    finish(reason) {
      if (cursor !== 0) goOn(Number.POSITIVE_INFINITY, '');
      if (open.size === 0) return;
      startVisit(clock);
      goOn(Number.POSITIVE_INFINITY, reason);
    },
  };
}
