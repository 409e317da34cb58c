/** Which of the names after `-i` are network interfaces, captures, collectors; and which interfaces to look at where none is named. */
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../../config.ts';
import type { Native } from '../../native.ts';
import { namesIn, readText } from './system.ts';

export interface Inputs {
  /** Names of network interfaces to look at. */
  readonly live: readonly string[];
  /** The user named them, so the run needs them. */
  readonly named: boolean;
  /** Captures. */
  readonly files: readonly string[];
  /** `udp:…` */
  readonly udp: readonly string[];
  /** Neither. */
  readonly unknown: readonly string[];
}

/** What all checks get. The addon is missing where it could not be loaded. */
export interface Patient {
  readonly config: Config;
  readonly inputs: Inputs;
  readonly native: Native | undefined;
}

export const NET = '/sys/class/net';
/** linux/if.h */
const IFF_UP = 1;
/** linux/if_arp.h */
const ARPHRD_LOOPBACK = '772';

const isUp = (name: string): boolean => (Number(readText(`${NET}/${name}/flags`)) & IFF_UP) !== 0;

/** Interfaces that are up, without loopback: network cards, or all where there is no card (virtual ones). */
function interfacesInUse(): string[] {
  const up = namesIn(NET).filter((name) => isUp(name) && readText(`${NET}/${name}/type`) !== ARPHRD_LOOPBACK);
  const cards = up.filter((name) => existsSync(`${NET}/${name}/device`));
  return cards.length > 0 ? cards : up;
}

/** In the way of check.ts: an interface of the name comes first. */
export function inputsOf(config: Config, native: Native | undefined): Inputs {
  const known = new Set([...namesIn(NET), ...(native?.pcapInterfaces().map((of) => of.name) ?? [])]);
  const live: string[] = [];
  const files: string[] = [];
  const udp: string[] = [];
  const unknown: string[] = [];
  for (const name of config.interfaces) {
    const stat = statSync(name, { throwIfNoEntry: false });
    if (known.has(name)) live.push(name);
    else if (name.startsWith('udp:')) udp.push(name);
    else if (name === '-' || /^(tcp|ipc|zmq|netflow|sflow|view):|@(tcp|ipc|zmq):/.test(name) || stat?.isFIFO()) continue;
    else if (stat?.isFile()) files.push(name);
    else unknown.push(name);
  }
  const named = config.interfaces.length > 0;
  return { live: named ? live : interfacesInUse(), named, files, udp, unknown };
}
