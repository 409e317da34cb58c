/** One network interface after the other: is it there, up, connected; can it be opened; what did it lose so far. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config.ts';
import { count } from '../format.ts';
import { type Finding, hint, ok, problem } from './finding.ts';
import { NET, type Patient } from './inputs.ts';
import { offloadsFinding, parseRing, type Ring, ringFinding } from './offloads.ts';
import { ask, namesIn, readText } from './system.ts';

/** Files of /sys/class/net/NAME, see the kernel's Documentation/ABI/testing/sysfs-class-net. */
export interface InterfaceState {
  readonly flags: number;
  /** `1` or `0`; undefined while the interface is down. */
  readonly carrier: string | undefined;
  readonly mtu: number;
  readonly speed: number;
  readonly wireless: boolean;
}

/** linux/if.h */
const IFF_UP = 1;
/** linux/if_arp.h */
const ARPHRD_ETHER = '1';
/** Ethernet header with two VLAN tags. */
const HEADER_BYTES = 14 + 2 * 4;

export function interfaceFinding(name: string, state: InterfaceState, snapLength: number): Finding {
  const up = `sudo ip link set ${name} up`;
  if ((state.flags & IFF_UP) === 0) return problem('interface', `${name}: down`, up);
  if (state.carrier === '0') return hint('interface', `${name}: up, but no carrier (is the cable plugged in?)`, `ip -d link show ${name}`);
  const speed = state.speed > 0 ? `, ${count(state.speed)} Mbit/s` : '';
  const what = `${name}: up, MTU ${state.mtu}${speed}`;
  const frame = state.mtu + HEADER_BYTES;
  if (frame > snapLength && state.mtu < 65_535) {
    return hint('interface', `${what}: packets up to ${frame} bytes are cut at ${snapLength}`, `--snap-length ${frame}`);
  }
  return ok('interface', state.wireless ? `${what}; Wi-Fi shows only this machine's own packets` : what);
}

/** Files of /sys/class/net/NAME/statistics. */
export interface Statistics {
  readonly packets: number;
  /** Discarded by the kernel, among them what no program wants. */
  readonly dropped: number;
  /** The card had no room: in its ring, or in its own memory. */
  readonly missed: number;
  readonly fifo: number;
}

/** Discarded packets up to this share are those that nobody wants (LLDP, foreign VLANs). */
const USUAL_SHARE = 0.01;

export function dropsFinding(name: string, of: Statistics, ring: Ring | undefined): Finding {
  const lost = Math.max(of.missed, of.fifo); // many drivers count one loss in both
  const share = (part: number): string => `${count(part)} of ${count(of.packets + lost)}`;
  const ways = `ip -s -s link show ${name}`;
  if (lost > 0) {
    const larger = ring !== undefined && ring.rx < ring.most ? `sudo ethtool -G ${name} rx ${ring.most}` : ways;
    return hint('drops', `${name}: the card had no room for ${share(lost)} packets since the start`, larger);
  }
  if (of.dropped > of.packets * USUAL_SHARE) {
    return hint('drops', `${name}: the kernel discarded ${share(of.dropped)} packets since the start`, ways);
  }
  return ok('drops', `${name}: the card lost none of ${count(of.packets)} packets since the start`);
}

/** Opens as the run will. Interfaces that nobody named are not put into promiscuous mode. */
async function captureFinding(name: string, config: Config, named: boolean): Promise<Finding> {
  const { openLive } = await import('../../interfaces/live/source.ts');
  const { createSteadyClock } = await import('../../interfaces/live/clock.ts');
  const promiscuous = named && config.promiscuous;
  try {
    openLive(name, { ...config, promiscuous }, createSteadyClock()).close();
    return ok('capture', `${name}: can be opened${promiscuous ? ', promiscuous' : ''}, buffer ${config.bufferBytes >> 20} MiB`);
  } catch (error) {
    const { openingError } = await import('../check.ts');
    const { code } = error as NodeJS.ErrnoException;
    const { message, hint: todo } = openingError(name, error);
    // what to do about missing rights stands in their own check
    return named ? problem('capture', message, code === 'EPERM' ? '' : todo) : hint('capture', message, code === 'EPERM' ? '' : todo);
  }
}

function stateOf(folder: string): InterfaceState {
  return {
    flags: Number(readText(`${folder}/flags`)),
    carrier: readText(`${folder}/carrier`),
    mtu: Number(readText(`${folder}/mtu`)),
    speed: Number(readText(`${folder}/speed`) ?? 0),
    wireless: existsSync(`${folder}/phy80211`) || existsSync(`${folder}/wireless`),
  };
}

function statisticsOf(folder: string): Statistics {
  const read = (name: string): number => Number(readText(`${folder}/statistics/${name}`) ?? 0);
  return { packets: read('rx_packets'), dropped: read('rx_dropped'), missed: read('rx_missed_errors'), fifo: read('rx_fifo_errors') };
}

async function* checksOf(name: string, { config, inputs, native }: Patient): AsyncGenerator<Finding> {
  const folder = `${NET}/${name}`;
  const real = existsSync(`${folder}/flags`); // libpcap has names of its own, as `any`
  const state = real ? interfaceFinding(name, stateOf(folder), config.snapLength) : ok('interface', `${name}: a name of libpcap's own`);
  yield state;
  if (native !== undefined && state.level !== 'problem') yield await captureFinding(name, config, inputs.named);
  if (!real) return;
  if (existsSync(`${folder}/device`) || readText(`${folder}/type`) === ARPHRD_ETHER) {
    yield offloadsFinding(name, await ask('ethtool', '-k', name));
  }
  const answer = await ask('ethtool', '-g', name);
  const ring = answer.state === 'answered' ? parseRing(answer.text) : undefined;
  if (ring !== undefined) yield ringFinding(name, ring);
  const queues = namesIn(`${folder}/queues`).filter((queue) => queue.startsWith('rx-')).length;
  if (queues > 0) yield ok('queues', `${name}: ${queues} receive ${queues === 1 ? 'queue' : 'queues'}, read by one thread`);
  yield dropsFinding(name, statisticsOf(folder), ring);
}

async function fileFinding(name: string, config: Config): Promise<Finding> {
  const { openFile } = await import('../../interfaces/pcap/source.ts');
  try {
    openFile(name, config.filter).close();
    return ok('interface', `${name}: a capture that can be read`);
  } catch (error) {
    const { openingError } = await import('../check.ts');
    const { message, hint: todo } = openingError(name, error);
    return problem('interface', message, todo);
  }
}

export async function* interfaceChecks(patient: Patient): AsyncGenerator<Finding> {
  const { inputs, config, native } = patient;
  for (const name of inputs.unknown) {
    const todo = name.includes('/') ? `ls -l ${dirname(name)}` : 'flowpatrol interfaces';
    yield problem('interface', `${name}: neither a network interface nor a capture file`, todo);
  }
  if (!inputs.named && inputs.live.length === 0) yield hint('interface', 'no network interface is up', 'flowpatrol interfaces');
  if (native !== undefined) for (const name of inputs.files) yield await fileFinding(name, config);
  for (const name of inputs.live) yield* checksOf(name, patient);
}
