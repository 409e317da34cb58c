/**
 * Device types and what they may speak: a file of the user's, none by default (status 16).
 *
 *   device printer: 192.168.1.0/28, 00:80:77:12:34:56      # who is of a type: networks, addresses, MACs
 *   forbid printer client: SSH, BitTorrent                 # protocols that it must not use as a client
 *   forbid printer server: *  except IPP, HTTP             # or as a server; * = every protocol
 *
 * A MAC comes before an address, of networks the smallest decides. Devices of no type may use everything.
 * Types are numbered from 1 on in the order of the file. Asked by the flow engine once per flow.
 */
import { createPrefixSet, type PrefixSet } from './prefixes.ts';

export type Role = 'client' | 'server';

export interface Devices {
  /** Devices and networks that are known. */
  readonly size: number;
  readonly types: readonly string[];
  /** @param mac offset of 6 bytes in `macs` @param address offset of 16 bytes in `addresses`. @returns type, 0 = unknown */
  typeOf(macs: Uint8Array, mac: number, addresses: Uint8Array, address: number): number;
  typeOf4(macs: Uint8Array, mac: number, address: number): number;
  /** Must a device of this type not use the protocol in that role? @param names nDPI names of the application and master protocol */
  forbids(type: number, role: Role, application: string, master: string): boolean;
}

interface Rule {
  readonly protocols: ReadonlySet<string>;
  /** Forbidden is what is not in `protocols`. */
  readonly except: boolean;
}

/** A line that could not be understood: `file:line: cause`. */
export class DevicesError extends Error {}

/** An event has a byte for a type. */
const MOST_TYPES = 255;
const MAC = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i;

/** @throws DevicesError */
export function readDevices(text: string, file: string): Devices {
  const types = ['unknown'];
  const networks: PrefixSet = createPrefixSet();
  const networkTypes: number[] = [];
  const macs = new Map<number, number>();
  const typeOfMember = new Map<string, string>();
  const rules = new Map<string, Rule[]>();

  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.replace(/#.*$/, '').trim();
    if (line === '') continue;
    const wrong = (cause: string): DevicesError => new DevicesError(`${file}:${index + 1}: ${cause}`);
    const match = /^(device|forbid)\s+([\w-]+)(?:\s+(client|server))?\s*:\s*(.*)$/i.exec(line);
    if (match === null) throw wrong(`'${line}' is neither 'device TYPE: MEMBERS' nor 'forbid TYPE client|server: PROTOCOLS'`);
    const [, verb = '', written = '', role, rest = ''] = match;
    const name = written.toLowerCase();
    if (name === types[0]) throw wrong(`'${name}' is what devices of no type are; choose another name`);
    let type = types.indexOf(name);
    if (verb.toLowerCase() === 'device') {
      if (role !== undefined) throw wrong(`'device ${name}' takes no role; roles belong to forbid`);
      if (type < 0) type = types.push(name) - 1;
      if (type > MOST_TYPES) throw wrong(`there are more than ${MOST_TYPES} types`);
      for (const member of rest.split(/[\s,]+/).filter((word) => word !== '')) {
        const other = typeOfMember.get(member.toLowerCase());
        if (other !== undefined) throw wrong(`'${member}' is a device of the type '${other}' already`);
        typeOfMember.set(member.toLowerCase(), name);
        if (MAC.test(member)) macs.set(Number.parseInt(member.replace(/[:-]/g, ''), 16), type);
        else if (networks.add(member)) networkTypes.push(type);
        else throw wrong(`'${member}' is neither an address, a network nor a MAC`);
      }
      continue;
    }
    if (type < 0) throw wrong(`no device is of the type '${name}'; declare it above: device ${name}: MEMBERS`);
    if (role === undefined) throw wrong(`'forbid ${name}' needs client or server`);
    const [listed = '', exceptions] = rest.split(/\bexcept\b/i);
    const words = (part: string): string[] => part.split(/[\s,]+/).filter((word) => word !== '');
    const all = words(listed).includes('*');
    if (exceptions !== undefined && !all) throw wrong("'except' needs '*' before it");
    if (words(listed).length === 0) throw wrong('no protocol is named; * means every protocol');
    const protocols = new Set(words(all ? (exceptions ?? '') : listed).map((word) => word.toLowerCase()));
    const key = `${type} ${role.toLowerCase()}`;
    rules.set(key, [...(rules.get(key) ?? []), { protocols, except: all }]);
  }

  const byMac = (bytes: Uint8Array, at: number): number | undefined => {
    if (macs.size === 0) return undefined;
    let mac = 0;
    for (let i = 0; i < 6; i++) mac = mac * 256 + (bytes[at + i] as number);
    return macs.get(mac);
  };

  return {
    size: macs.size + networks.size,
    types,
    typeOf: (bytes, mac, addresses, address) => byMac(bytes, mac) ?? networkTypes[networks.match6(addresses, address)] ?? 0,
    typeOf4: (bytes, mac, address) => byMac(bytes, mac) ?? networkTypes[networks.match4(address)] ?? 0,
    forbids(type, role, application, master) {
      for (const { protocols, except } of rules.get(`${type} ${role}`) ?? []) {
        const named = protocols.has(application.toLowerCase()) || (master !== '' && protocols.has(master.toLowerCase()));
        if (named !== except) return true;
      }
      return false;
    },
  };
}

export const NO_DEVICES: Devices = readDevices('', '');
