/**
 * The options, declared once. Everything else is derived from this list: parsing (parse.ts), the configuration file, the help
 * on a screen and the reference (help.ts).
 *
 * An option turns the texts given for it into a part of the configuration, or throws a usage error with a hint.
 */
import { resolve } from 'node:path';
import { type Config, DEFAULT_CONFIG, type LogLevel } from '../config.ts';
import { isNetwork } from '../hosts/prefixes.ts';
import { nearest } from '../nearest.ts';
import { usageError } from './errors.ts';

export const OPTION_GROUPS = ['Input', 'Capture', 'Flows', 'Protocols', 'Scripts', 'Output', 'Program'] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

export interface OptionDeclaration {
  /** Long name without dashes, also the name in a configuration file. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Older long names that mean the same; not shown. */
  readonly aliases?: readonly string[];
  /** Name of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly group: OptionGroup;
  /** One line. */
  readonly help: string;
  /** Further sentences for the reference. */
  readonly more?: string;
  /** As text, `''` for none. */
  readonly default: string;
  /** May be given several times; otherwise the last one counts. */
  readonly repeatable?: boolean;
  /** `command`: it says what to do and is no part of the configuration, so it is not allowed in a file. */
  readonly command?: boolean;
  /** @param texts all values given, in order; a switch gets none */
  readonly read: (texts: readonly string[], flag: string) => Partial<Config>;
}

type Declared = Omit<OptionDeclaration, 'default' | 'read'>;
type KeyOf<T> = { [K in keyof Config]-?: Config[K] extends T ? K : never }[keyof Config];

const last = (texts: readonly string[]): string => texts.at(-1) as string;

/** Digits, or digits with K, M, G (powers of 1024) where `units` says so. */
const number = (text: string, units: boolean): number => {
  const match = /^(\d{1,15})([KMG]?)$/i.exec(text);
  if (match === null || (match[2] !== '' && !units)) return Number.NaN;
  return Number(match[1]) * 1024 ** ' KMG'.indexOf((match[2] || ' ').toUpperCase());
};

const size = (bytes: number): string => (bytes >= 1 << 20 && bytes % (1 << 20) === 0 ? `${bytes >> 20}M` : String(bytes));

function integer(key: KeyOf<number>, from: number, to: number, declared: Declared, units = false): OptionDeclaration {
  const show = units ? size : (value: number): string => value.toLocaleString('en-US');
  return {
    ...declared,
    more: `From ${show(from)} to ${show(to)}. ${declared.more ?? ''}`.trim(),
    default: show(DEFAULT_CONFIG[key]),
    read(texts, flag) {
      const value = number(last(texts), units);
      if (value >= from && value <= to) return { [key]: value };
      const hint = Number.isNaN(value) ? `for example ${flag} ${units ? size(DEFAULT_CONFIG[key]) : DEFAULT_CONFIG[key]}` : '';
      throw usageError(`${flag}: '${last(texts)}' is not a whole number from ${show(from)} to ${show(to)}`, hint);
    },
  };
}

const flag = (key: KeyOf<boolean>, value: boolean, declared: Declared): OptionDeclaration => ({
  ...declared,
  default: '',
  read: () => ({ [key]: value }),
});

function choice<T extends string>(key: KeyOf<T> & keyof Config, choices: readonly T[], declared: Declared): OptionDeclaration {
  return {
    ...declared,
    default: String(DEFAULT_CONFIG[key]),
    read(texts, name) {
      const found = choices.find((word) => word === last(texts));
      if (found !== undefined) return { [key]: found };
      throw usageError(`${name}: '${last(texts)}' is not one of ${choices.join(', ')}`, didYouMean(last(texts), choices));
    },
  };
}

const notEmpty = (text: string, name: string): string => {
  if (text === '') throw usageError(`${name}: the value is empty`);
  return text;
};

const files = (key: 'scriptDirectories' | 'blacklists', declared: Declared): OptionDeclaration => ({
  ...declared,
  repeatable: true,
  default: '',
  read: (texts, name) => ({ [key]: texts.map((text) => resolve(notEmpty(text, name))) }),
});

const output = (key: 'exportFlows' | 'exportEvents' | 'exportAlerts', declared: Declared): OptionDeclaration => ({
  ...declared,
  default: '',
  read: (texts, name) => ({ [key]: last(texts) === '-' ? '-' : resolve(notEmpty(last(texts), name)) }),
});

/** Options that are read by parse.ts itself. */
const ofProgram = (declared: Declared): OptionDeclaration => ({ ...declared, default: '', command: true, read: () => ({}) });

export const didYouMean = (word: string, candidates: readonly string[]): string => {
  const found = nearest(word, candidates);
  return found === undefined ? '' : `did you mean ${found}?`;
};

function localNetworks(texts: readonly string[], name: string): Partial<Config> {
  const networks = texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (networks.length === 0) throw usageError(`${name}: no network given`, `for example ${name} 192.168.0.0/16,10.0.0.0/8`);
  if (networks.length > 255) throw usageError(`${name}: ${networks.length} networks, at most 255`);
  for (const text of networks) {
    if (!isNetwork(text))
      throw usageError(`${name}: '${text}' is neither an address nor a network`, `for example ${name} 192.168.0.0/16,10.0.0.0/8`);
  }
  return { localNetworks: networks };
}

const DPI_PACKETS_MAX = 250;

function dpiPackets(texts: readonly string[], name: string): Partial<Config> {
  const wrong = (): Error =>
    usageError(
      `${name}: '${last(texts)}' is neither a number from 1 to ${DPI_PACKETS_MAX} nor tcp:N,udp:N`,
      `for example ${name} tcp:12,udp:8`,
    );
  const count = (text: string): number => {
    const value = number(text, false);
    if (value >= 1 && value <= DPI_PACKETS_MAX) return value;
    throw wrong();
  };
  const text = last(texts);
  if (!text.includes(':')) return { dpiPackets: { tcp: count(text), udp: count(text) } };
  const result = { ...DEFAULT_CONFIG.dpiPackets };
  for (const part of text.split(',')) {
    const [transport = '', packets = '', more] = part.trim().split(':');
    if ((transport !== 'tcp' && transport !== 'udp') || more !== undefined) throw wrong();
    result[transport] = count(packets);
  }
  return { dpiPackets: result };
}

const TUNNELS = { gtp: 'openGtp', gre: 'openGre', vxlan: 'openVxlan' } as const;

function openTunnels(texts: readonly string[], name: string): Partial<Config> {
  const result = { openGtp: false, openGre: false, openVxlan: false };
  for (const word of last(texts).split(',')) {
    const tunnel = word.trim();
    if (tunnel === 'none' || tunnel === '') continue;
    const known = Object.keys(TUNNELS).find((candidate): candidate is keyof typeof TUNNELS => candidate === tunnel);
    if (known === undefined)
      throw usageError(`${name}: '${tunnel}' is not one of gtp, gre, vxlan, none`, didYouMean(tunnel, Object.keys(TUNNELS)));
    result[TUNNELS[known]] = true;
  }
  return result;
}

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export const OPTIONS: readonly OptionDeclaration[] = [
  {
    name: 'interface',
    short: 'i',
    value: 'NAME|FILE|-',
    group: 'Input',
    repeatable: true,
    help: 'interface, capture file (also .gz), or - for standard input',
    more: 'Captures are pcap or pcapng files. Each one has its own clock, flow table, visits and scripts. A network interface is meant where one has that name.',
    default: '',
    read: (texts, name) => ({ interfaces: texts.map((text) => notEmpty(text, name)) }),
  },
  {
    name: 'packet-filter',
    short: 'B',
    value: 'FILTER',
    group: 'Input',
    help: 'only packets that match this BPF filter',
    more: 'The language is that of tcpdump (pcap-filter(7)). It holds for all interfaces.',
    default: '',
    read: (texts) => ({ filter: last(texts).trim() }),
  },
  flag('originalSpeed', true, {
    name: 'original-speed',
    group: 'Input',
    help: 'play captures as fast as they were recorded, as if live',
    more: 'All callbacks run, and nothing waits for slow scripts.',
  }),
  flag('shutdownWhenDone', true, {
    name: 'shutdown-when-done',
    group: 'Input',
    help: 'end after the last capture file; without -d nothing is kept',
    more: 'As long as there is no web interface, a run ends after its last capture in any case.',
  }),
  integer('snapLength', 64, 262_144, {
    name: 'snap-length',
    value: 'BYTES',
    group: 'Capture',
    help: 'bytes kept of each packet',
    more: 'Shorter packets cost less, but payload lengths and protocol details of longer ones are lost.',
  }),
  flag('promiscuous', false, { name: 'no-promiscuous', group: 'Capture', help: 'only packets from and to this machine' }),
  integer(
    'bufferBytes',
    64 << 10,
    2047 << 20,
    {
      name: 'buffer-size',
      value: 'BYTES',
      group: 'Capture',
      help: 'kernel buffer of a live interface (K, M, G)',
      more: 'A larger one bridges longer bursts: raise it when the summary shows kernel drops.',
    },
    true,
  ),
  {
    name: 'local-networks',
    short: 'm',
    value: 'NETS',
    group: 'Flows',
    repeatable: true,
    help: 'local networks, comma separated (default: the private ones)',
    more: 'They decide which hosts count as local.',
    default: DEFAULT_CONFIG.localNetworks.join(','),
    read: localNetworks,
  },
  integer('maxFlows', 16, 5_000_000, {
    name: 'max-flows',
    short: 'X',
    aliases: ['max-num-flows'],
    value: 'N',
    group: 'Flows',
    help: 'most flows at one time, per interface',
    more: 'When the table is full, flows that were silent for long end early, with their callbacks, and are counted. Memory is taken as flows come.',
  }),
  integer('visitPeriod', 1, 60, { name: 'visit-period', value: 'S', group: 'Flows', help: 'seconds between two visits of all flows' }),
  integer('maxIdle', 1, 3600, { name: 'max-idle', value: 'S', group: 'Flows', help: 'seconds of silence after which a flow is over' }),
  {
    name: 'blacklist',
    value: 'FILE',
    group: 'Flows',
    repeatable: true,
    help: 'bad addresses, networks, host names; may repeat',
    more: 'One a line, # begins a comment; lines of a hosts file are understood. A host name also matches its sub-domains.',
    default: '',
    read: (texts, name) => ({ blacklists: texts.map((text) => resolve(notEmpty(text, name))) }),
  },
  {
    name: 'open',
    value: 'TUNNELS',
    group: 'Protocols',
    help: 'look into tunnels: gtp,gre,vxlan or none',
    more: 'The flows of an opened tunnel are those inside it. IP in IP is always opened.',
    default: 'gtp',
    read: openTunnels,
  },
  {
    name: 'dpi-packets',
    value: 'N',
    group: 'Protocols',
    help: 'packets of a flow for detection: N or tcp:N,udp:N',
    more: `From 1 to ${DPI_PACKETS_MAX}. After so many the protocol is guessed.`,
    default: '12',
    read: dpiPackets,
  },
  integer('detailWaitMs', 0, 60_000, {
    name: 'detail-wait',
    value: 'MS',
    group: 'Protocols',
    help: 'longest wait of protocolDetected for details',
    more: 'Once the protocol is known, certificate, host name or answer code may take a few packets more; so long the callback waits for them.',
  }),
  flag('dpi', false, { name: 'no-dpi', group: 'Protocols', help: 'no protocol detection' }),
  files('scriptDirectories', {
    name: 'scripts-dir',
    value: 'DIR',
    group: 'Scripts',
    help: "folder of scripts, instead of the project's own; may repeat",
    more: 'All .lua files in it are loaded, without sub-folders. The default is scripts/callbacks/interface/alerts/flow of the project.',
  }),
  flag('scripts', false, { name: 'no-scripts', group: 'Scripts', help: 'run no scripts' }),
  choice('pcapCallbacks', ['protocolDetected', 'all'], {
    name: 'pcap-callbacks',
    value: 'WHICH',
    group: 'Scripts',
    help: 'run on captures: protocolDetected or all',
  }),
  output('exportFlows', { name: 'export-flows', value: 'FILE|-', group: 'Output', help: 'every flow at its end, one JSON object a line' }),
  output('exportEvents', { name: 'export-events', value: 'FILE|-', group: 'Output', help: 'every callback that is due, the same way' }),
  output('exportAlerts', {
    name: 'export-alerts',
    value: 'FILE|-',
    group: 'Output',
    help: 'every alert; - = standard output, for one of the three',
  }),
  {
    name: 'data-dir',
    short: 'd',
    value: 'DIR',
    group: 'Output',
    help: 'folder for what is kept; without it nothing is',
    more: 'It is made where it is missing. One process at a time can use it.',
    default: '',
    read: (texts, name) => ({ dataDirectory: resolve(notEmpty(last(texts), name)) }),
  },
  {
    name: 'http-port',
    short: 'w',
    value: '[ADDR:]PORT',
    group: 'Output',
    help: 'web interface (not in this version)',
    default: '',
    read(_, name) {
      throw usageError(
        `${name}: there is no web interface in this version`,
        'leave it out; results: the summary, --export-flows, --export-alerts',
      );
    },
  },
  choice('logLevel', LOG_LEVELS, { name: 'log-level', value: 'LEVEL', group: 'Program', help: 'debug, info, warn or error' }),
  ofProgram({
    name: 'config',
    value: 'FILE',
    group: 'Program',
    help: 'read options from a file; those on the command line win',
    more: 'Lines of the form `name = value` with the long names; # begins a comment; a switch needs no value.',
  }),
  ofProgram({ name: 'help', short: 'h', group: 'Program', help: 'this help' }),
  ofProgram({ name: 'version', short: 'V', group: 'Program', help: 'versions of the program and its libraries' }),
];
