/**
 * What probes tell of exporters and hosts beside flows: counters and names of interfaces (`counter`, `snmp-ifaces`), ports that
 * hosts listen on (`listening-ports`). Kept with limits, for whoever wants to show them; called by the decoder.
 */

export interface ExporterInterface {
  /** Address of the exporter. */
  readonly exporter: string;
  readonly index: number;
  name: string;
  /** Last values by their names (`ifInOctets`, `ifSpeed` …). */
  readonly values: Map<string, string | number>;
  /** µs since 1970 of the last counters; 0 = none yet. */
  updated: number;
}

export interface ListeningPort {
  /** 6 or 17. */
  readonly protocol: number;
  readonly port: number;
  readonly process: string;
  readonly package: string;
}

/** Names of the members of a counter message, by their number. */
const MEMBERS = [
  ...['deviceIP', 'samplesGenerated', 'ifIndex', 'ifName', 'ifType', 'ifSpeed', 'ifDirection', 'ifAdminStatus', 'ifOperStatus'],
  ...['ifInOctets', 'ifInPackets', 'ifInErrors', 'ifOutOctets', 'ifOutPackets', 'ifOutErrors', 'ifPromiscuousMode'],
] as const;
const TEXTS = new Set(['deviceIP', 'ifName', 'ifDirection', 'ifAdminStatus', 'ifOperStatus']);

const MOST_INTERFACES = 16384;
const MOST_HOSTS = 4096;
const MOST_PORTS = 1024;
const LONGEST_NAME = 256;

export interface Exporters {
  /** @param values by name or number in text; @returns false: it does not say which interface it is about; 'full': there is no room */
  counters(values: ReadonlyMap<string, string | number>, now: number): boolean | 'full';
  /** @param parsed of `snmp-ifaces` */
  names(parsed: unknown): boolean | 'full';
  /** @param parsed of `listening-ports` */
  listening(parsed: unknown): boolean | 'full';
  interfaces(): readonly ExporterInterface[];
  /** Name of an exporter's interface, '' where nobody told. */
  interfaceName(exporter: string, index: number): string;
  /** By address of the host. */
  ports(): ReadonlyMap<string, readonly ListeningPort[]>;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const cut = (text: unknown): string => (typeof text === 'string' ? text.slice(0, LONGEST_NAME) : '');

const dotted = (address: number): string => `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

export function createExporters(): Exporters {
  const interfaces = new Map<string, ExporterInterface>();
  const hosts = new Map<string, readonly ListeningPort[]>();

  const interfaceOf = (exporter: string, index: number): ExporterInterface | undefined => {
    const key = `${exporter} ${index}`;
    let found = interfaces.get(key);
    if (found === undefined && interfaces.size < MOST_INTERFACES) {
      found = { exporter, index, name: '', values: new Map(), updated: 0 };
      interfaces.set(key, found);
    }
    return found;
  };

  const isIndex = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < 2 ** 32;

  return {
    counters(values, now) {
      const read = new Map<string, string | number>();
      for (const [key, value] of values) {
        const name = MEMBERS[Number(key)] ?? key;
        if (!(MEMBERS as readonly string[]).includes(name)) continue;
        if (!TEXTS.has(name)) {
          if (Number.isFinite(Number(value))) read.set(name, Number(value));
        } else read.set(name, name === 'deviceIP' && typeof value === 'number' ? dotted(value) : cut(String(value)));
      }
      const exporter = read.get('deviceIP');
      const index = read.get('ifIndex');
      if (typeof exporter !== 'string' || exporter === '' || exporter.length > 64 || typeof index !== 'number' || !isIndex(index))
        return false;
      const found = interfaceOf(exporter, index);
      if (found === undefined) return 'full';
      for (const [name, value] of read) if (name !== 'deviceIP' && name !== 'ifIndex') found.values.set(name, value);
      found.name = String(read.get('ifName') ?? '') || found.name;
      found.updated = now;
      return true;
    },

    names(parsed) {
      if (!isObject(parsed)) return false;
      let result: boolean | 'full' = true;
      for (const [exporter, names] of Object.entries(parsed)) {
        if (!isObject(names) || exporter.length > 64) return false;
        for (const [index, said] of Object.entries(names)) {
          // newer probes may give an object
          const name = cut(isObject(said) ? (said.name ?? said.ifName) : said);
          if (!isIndex(Number(index)) || name === '') continue;
          const found = interfaceOf(exporter, Number(index));
          if (found === undefined) result = 'full';
          else found.name = name;
        }
      }
      return result;
    },

    listening(parsed) {
      if (!isObject(parsed) || !Array.isArray(parsed['ip-addresses']) || !isObject(parsed['listening-ports'])) return false;
      const ports: ListeningPort[] = [];
      for (const [kind, protocol] of [
        ['tcp4', 6],
        ['tcp6', 6],
        ['udp4', 17],
        ['udp6', 17],
      ] as const) {
        const entries = parsed['listening-ports'][kind];
        if (!Array.isArray(entries)) continue;
        for (const entry of entries) {
          if (!isObject(entry)) continue;
          const port = Number(entry.port);
          if (!Number.isInteger(port) || port < 1 || port > 65535 || ports.length >= MOST_PORTS) continue;
          ports.push({ protocol, port, process: cut(entry.proc), package: cut(entry.pkg) });
        }
      }
      let result: boolean | 'full' = true;
      for (const address of parsed['ip-addresses'].slice(0, MOST_PORTS)) {
        if (typeof address !== 'string' || address.length > 64) continue;
        if (hosts.size >= MOST_HOSTS && !hosts.has(address)) result = 'full';
        else hosts.set(address, ports);
      }
      return result;
    },

    interfaces: () => [...interfaces.values()],
    interfaceName: (exporter, index) => interfaces.get(`${exporter} ${index}`)?.name ?? '',
    ports: () => hosts,
  };
}
