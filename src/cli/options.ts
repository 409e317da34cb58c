/**
 * The options of a run, declared once. Everything else is derived from this list: parsing (parse.ts), the configuration file, the
 * help on a screen and the reference (help.ts). Options of commands that show something are in view-options.ts.
 *
 * An option turns the texts given for it into a part of the configuration, or throws a usage error with a hint.
 */

import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Config, DEFAULT_CONFIG, DEFAULT_WEB, type LogFormat, type LogLevel, type WebAddress } from '../config.ts';
import { isUrl, ListError, type ListSource, parseListOption } from '../hosts/lists/declaration.ts';
import { isNetwork } from '../hosts/prefixes.ts';
import { IdsError, parseIdsOption } from '../ids/option.ts';
import { FASTEST } from '../interfaces/protocol.ts';
import { nearest } from '../nearest.ts';
import {
  isPreference,
  PREFERENCE_NAMES,
  PREFERENCES,
  PreferenceError,
  type PreferenceName,
  type Preferences,
  preferenceValue,
} from '../preferences.ts';
import { usageError } from './errors.ts';

export const OPTION_GROUPS = ['Input', 'Capture', 'Flows', 'Hosts', 'Protocols', 'Scripts', 'Output', 'Web', 'Program'] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

/** What the options of one kind have in common, whatever they make. */
export interface OptionOf<T> {
  /** Long name without dashes, also the name in a configuration file. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Older long names that mean the same; not shown. */
  readonly aliases?: readonly string[];
  /** Name of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly group: OptionGroup | 'Table';
  /** Left out of the help on one screen: `flowpatrol help options` has it. */
  readonly rare?: boolean;
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
  readonly read: (texts: readonly string[], flag: string) => Partial<T>;
}

export type OptionDeclaration = OptionOf<Config>;

type Declared = Omit<OptionDeclaration, 'default' | 'read'>;
type KeyOf<T> = { [K in keyof Config]-?: Config[K] extends T ? K : never }[keyof Config];

export const last = (texts: readonly string[]): string => texts.at(-1) as string;

/** Digits, or digits with K, M, G (powers of 1024) where `units` says so. */
const number = (text: string, units: boolean): number => {
  const match = /^(\d{1,15})([KMG]?)$/i.exec(text);
  if (match === null || (match[2] !== '' && !units)) return Number.NaN;
  return Number(match[1]) * 1024 ** ' KMG'.indexOf((match[2] || ' ').toUpperCase());
};

const size = (bytes: number): string => (bytes >= 1 << 20 && bytes % (1 << 20) === 0 ? `${bytes / 2 ** 20}M` : String(bytes));

/** A whole number in a range; `make` puts it where it belongs. */
export function integerOption<T>(
  { from, to, fallback, units = false }: { from: number; to: number; fallback: number; units?: boolean },
  make: (value: number) => Partial<T>,
  declared: Omit<OptionOf<T>, 'default' | 'read'>,
): OptionOf<T> {
  const show = units ? size : (value: number): string => value.toLocaleString('en-US');
  return {
    ...declared,
    more: `From ${show(from)} to ${show(to)}. ${declared.more ?? ''}`.trim(),
    default: show(fallback),
    read(texts, flag) {
      const value = number(last(texts), units);
      if (value >= from && value <= to) return make(value);
      const hint = Number.isNaN(value) ? `for example ${flag} ${units ? size(fallback) : fallback}` : '';
      throw usageError(`${flag}: '${last(texts)}' is not a whole number from ${show(from)} to ${show(to)}`, hint);
    },
  };
}

const integer = (key: KeyOf<number>, from: number, to: number, declared: Declared, units = false): OptionDeclaration =>
  integerOption<Config>({ from, to, fallback: DEFAULT_CONFIG[key], units }, (value) => ({ [key]: value }), declared);

type IntegerPreference = { [K in PreferenceName]: (typeof PREFERENCES)[K]['type'] extends 'int' ? K : never }[PreferenceName];

/** An option that sets a preference for this run. */
function ofPreference(name: IntegerPreference, declared: Omit<Declared, 'name'>): OptionDeclaration {
  const { from, to, default: fallback, option } = PREFERENCES[name] as { from: number; to: number; default: number; option: string };
  return integerOption<Config>({ from, to, fallback }, (value) => ({ preferences: { [name]: value } }), { ...declared, name: option });
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

export const notEmpty = (text: string, name: string): string => {
  if (text === '') throw usageError(`${name}: the value is empty`);
  return text;
};

const files = (key: 'scriptDirectories' | 'geoFiles', declared: Declared): OptionDeclaration => ({
  ...declared,
  repeatable: true,
  default: '',
  read: (texts, name) => ({ [key]: texts.map((text) => resolve(notEmpty(text, name))) }),
});

const file = (key: 'hostPools' | 'devicePolicy', declared: Declared): OptionDeclaration => ({
  ...declared,
  default: '',
  read: (texts, name) => ({ [key]: resolve(notEmpty(last(texts), name)) }),
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

/** @throws a usage error */
function listOf(text: string, name: string): ListSource {
  try {
    const list = parseListOption(text);
    return isUrl(list.from) ? list : { ...list, from: resolve(list.from) };
  } catch (error) {
    if (error instanceof ListError) throw usageError(`${name}: ${error.message}`, error.hint);
    throw error;
  }
}

/** One `NAME=VALUE`. */
function preference(text: string, name: string): Partial<Preferences> {
  const [key = '', ...rest] = text.split('=');
  if (rest.length === 0) throw usageError(`${name}: '${text}' is not of the form NAME=VALUE`, `for example ${name} flow_max_idle=30`);
  const known = key.trim();
  if (!isPreference(known)) throw usageError(`${name}: there is no preference '${known}'`, didYouMean(known, PREFERENCE_NAMES));
  try {
    return { [known]: preferenceValue(known, rest.join('=')) };
  } catch (error) {
    if (error instanceof PreferenceError) throw usageError(`${name}: ${error.message}`);
    throw error;
  }
}

/** A path, made absolute; `udp:ADDRESS:PORT` as it is. */
function alertSource(text: string, name: string): string {
  try {
    return parseIdsOption(text).kind === 'file' ? resolve(text) : text;
  } catch (error) {
    if (error instanceof IdsError) throw usageError(`${name}: ${error.message}`, error.hint);
    throw error;
  }
}

/** `3000`, `ADDRESS:3000`, `[ADDRESS]:3000`; `0` = none. */
function webAddress(text: string, name: string): WebAddress | 'none' {
  if (text === '0') return 'none';
  const [, six, other, digits] = /^(?:\[([0-9a-f:.]+)\]:|([^:[\]\s]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const address = six ?? other ?? DEFAULT_WEB.address;
  const port = Number(digits ?? 0);
  if (port >= 1 && port <= 65_535 && (six === undefined || isIP(six) === 6)) return { address, port };
  throw usageError(
    `${name}: '${text}' is neither a port nor ADDRESS:PORT`,
    `for example ${name} 3000, ${name} 0.0.0.0:3000, ${name} 0 for none`,
  );
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
const LOG_FORMATS: readonly LogFormat[] = ['text', 'json'];

export const OPTIONS: readonly OptionDeclaration[] = [
  {
    name: 'interface',
    short: 'i',
    value: 'NAME|FILE|-',
    group: 'Input',
    repeatable: true,
    help: 'interface, capture (also .gz), or stdin',
    more: 'Captures are pcap or pcapng files, also compressed. Flow records come by `tcp://`, `zmq://` or `ipc://` (probes on ZMQ), `netflow://0.0.0.0:2055` (NetFlow v5, v9 and IPFIX) and `sflow://0.0.0.0:6343`. Each one has its own clock, flow table, visits and scripts. A network interface is meant where one has that name.',
    default: '',
    read: (texts, name) => ({ interfaces: texts.map((text) => notEmpty(text, name)) }),
  },
  {
    name: 'packet-filter',
    short: 'B',
    value: 'FILTER',
    group: 'Input',
    help: 'only packets that match (BPF)',
    more: 'The language is that of tcpdump (pcap-filter(7)). It holds for all interfaces.',
    default: '',
    read: (texts) => ({ filter: last(texts).trim() }),
  },
  flag('originalSpeed', true, {
    name: 'original-speed',
    group: 'Input',
    help: 'play captures as if they were live',
    more: 'As fast as they were recorded. All callbacks run, and nothing waits for slow scripts.',
  }),
  {
    name: 'speed',
    value: 'N',
    group: 'Input',
    rare: true,
    help: 'read captures at N times their own speed',
    more: `1 is that of the packets' own times, 0.5 half of it, 0 as fast as possible. It changes when something is found, not what. While a capture is read, the programming interface changes it: POST /interfaces/{id}/pace. Uploads begin as fast as possible.`,
    default: '0',
    read(texts, name) {
      const text = last(texts);
      const speed = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
      if (speed <= FASTEST) return { speed };
      throw usageError(`${name}: '${text}' is not a number from 0 to ${FASTEST.toLocaleString('en-US')}`, `for example ${name} 10`);
    },
  },
  flag('shutdownWhenDone', true, {
    name: 'shutdown-when-done',
    group: 'Input',
    rare: true,
    help: 'end after the last capture',
    more: 'Otherwise a run with a web interface goes on, and shows what was found. Without -w there is no web interface then.',
  }),
  integer('snapLength', 64, 262_144, {
    name: 'snap-length',
    value: 'BYTES',
    group: 'Capture',
    rare: true,
    help: 'bytes kept of each packet',
    more: 'Shorter packets cost less, but payload lengths and protocol details of longer ones are lost.',
  }),
  flag('promiscuous', false, { name: 'no-promiscuous', group: 'Capture', rare: true, help: 'only packets of this machine' }),
  integer('captureThreads', 1, 64, {
    name: 'capture-threads',
    value: 'N',
    group: 'Capture',
    rare: true,
    help: 'threads that capture one interface',
    more: 'Packets of one flow always come to the same thread.',
  }),
  integer(
    'bufferBytes',
    64 << 10,
    2047 << 20,
    {
      name: 'buffer-size',
      value: 'BYTES',
      group: 'Capture',
      help: 'kernel buffer of an interface',
      more: 'Also with K, M, G. A larger one bridges longer bursts: raise it when the summary shows kernel drops.',
    },
    true,
  ),
  {
    name: 'local-networks',
    short: 'm',
    value: 'NETS',
    group: 'Flows',
    repeatable: true,
    help: 'local networks, comma separated',
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
    help: 'most flows at one time, per -i',
    more: 'When the table is full, flows that were silent for long end early, with their callbacks, and are counted. Memory is taken as flows come.',
  }),
  integer('activeTimeout', 1, 3600, {
    name: 'active-timeout',
    value: 'SECONDS',
    group: 'Flows',
    rare: true,
    help: 'active time-out of NetFlow exporters',
    more: 'How often they tell of a flow that lasts. Visits come in this time, and flows end after 10 s more without a record. An exporter that says a longer one itself is believed; probes on ZMQ always say theirs.',
  }),
  integer('idleTimeout', 1, 3600, {
    name: 'idle-timeout',
    value: 'SECONDS',
    group: 'Flows',
    rare: true,
    help: 'idle time-out of NetFlow exporters',
    more: 'After how much silence they tell of a flow. Visits come no more often.',
  }),
  ofPreference('housekeeping_frequency', { value: 'SECONDS', group: 'Flows', rare: true, help: 'time between two visits of all flows' }),
  ofPreference('flow_max_idle', { value: 'SECONDS', group: 'Flows', help: 'silence that ends a flow, seconds' }),
  {
    name: 'blacklist',
    value: 'FILE',
    group: 'Flows',
    repeatable: true,
    help: 'bad addresses, networks, host names',
    more: 'Short for `--list malware:auto:FILE`: one a line, # begins a comment; lines of a hosts file are understood. A host name also matches its sub-domains.',
    default: '',
    read: (texts, name) => ({ lists: texts.map((text) => listOf(`malware:auto:${resolve(notEmpty(text, name))}`, name)) }),
  },
  {
    name: 'list',
    value: 'SOURCE',
    group: 'Flows',
    repeatable: true,
    rare: true,
    help: 'category list: a file or a URL',
    more: '`CATEGORY:FORMAT:SOURCE`, `CATEGORY:SOURCE` or `SOURCE`; see [the guide to lists](../guides/lists.md).',
    default: '',
    read: (texts, name) => ({ lists: texts.map((text) => listOf(notEmpty(text, name), name)) }),
  },
  files('geoFiles', {
    name: 'geo',
    value: 'FILE',
    group: 'Hosts',
    rare: true,
    help: 'places and AS numbers: MMDB or CSV',
    more: 'In place of the free data of the installation; see [the guide to hosts](../guides/hosts.md).',
  }),
  file('hostPools', {
    name: 'host-pools',
    value: 'FILE',
    group: 'Hosts',
    rare: true,
    help: 'hosts put together under names',
    more: 'See [the guide to hosts](../guides/hosts.md).',
  }),
  flag('resolveNames', true, {
    name: 'resolve-names',
    group: 'Hosts',
    rare: true,
    help: 'ask DNS for names of addresses',
    more: 'The questions tell a name server whom your hosts talk to.',
  }),
  file('devicePolicy', {
    name: 'device-policy',
    value: 'FILE',
    group: 'Hosts',
    rare: true,
    help: 'protocols that types of devices may use',
  }),
  {
    name: 'ids-alerts',
    value: 'SOURCE',
    group: 'Input',
    repeatable: true,
    rare: true,
    help: 'alerts of Suricata (eve.json)',
    more: 'A file, or `udp:ADDRESS:PORT` for syslog; see [the guide](../guides/ids.md).',
    default: '',
    read: (texts, name) => ({ idsAlerts: texts.map((text) => alertSource(text, name)) }),
  },
  {
    name: 'pref',
    value: 'NAME=VALUE',
    group: 'Program',
    repeatable: true,
    rare: true,
    help: 'a preference, for this run',
    more: 'It wins over what is stored in the data directory; see [preferences](../guides/preferences.md).',
    default: '',
    read: (texts, name) => ({ preferences: Object.assign({}, ...texts.map((text) => preference(text, name))) as Partial<Preferences> }),
  },
  {
    name: 'open',
    value: 'TUNNELS',
    group: 'Protocols',
    help: 'tunnels to look into: gtp,gre,vxlan',
    more: 'Or `none`. The flows of an opened tunnel are those inside it. IP in IP is always opened.',
    default: 'gtp',
    read: openTunnels,
  },
  {
    name: 'dpi-packets',
    value: 'N',
    group: 'Protocols',
    rare: true,
    help: 'packets that detection sees',
    more: `N or tcp:N,udp:N, from 1 to ${DPI_PACKETS_MAX}. After so many the protocol is guessed.`,
    default: '12',
    read: dpiPackets,
  },
  ofPreference('detail_wait', {
    value: 'MS',
    group: 'Protocols',
    rare: true,
    help: 'longest wait for details',
    more: 'Of protocolDetected, in ms. Once the protocol is known, certificate, host name or answer code may take a few packets more; so long the callback waits for them.',
  }),
  flag('dpi', false, { name: 'no-dpi', group: 'Protocols', help: 'no protocol detection' }),
  files('scriptDirectories', {
    name: 'scripts-dir',
    value: 'DIR',
    group: 'Scripts',
    help: 'folder of scripts, instead of our own',
    more: 'All .lua and .ts files in it are loaded, without sub-folders, also those that come later. The default is scripts/callbacks/interface/alerts/flow of the project.',
  }),
  flag('scripts', false, { name: 'no-scripts', group: 'Scripts', help: 'run no scripts' }),
  flag('localNotifications', true, {
    name: 'local-notifications',
    group: 'Web',
    rare: true,
    help: 'notifications may write files and start programs',
    more: 'Without it, notifications of the kinds file and command cannot be added: who may add one may run programs on this machine.',
  }),
  {
    name: 'language',
    value: 'CODE',
    group: 'Scripts',
    rare: true,
    help: 'language of titles and texts of scripts',
    more: 'en, it, de, or one of your own: a file CODE.json in the folder locales of the data directory. What it lacks is in English.',
    default: DEFAULT_CONFIG.language,
    read: (texts, name) => {
      const code = last(texts);
      if (!/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/.test(code))
        throw usageError(`${name}: '${code}' is no code of a language`, `for example ${name} it`);
      return { language: code };
    },
  },
  choice('pcapCallbacks', ['protocolDetected', 'all'], {
    name: 'pcap-callbacks',
    value: 'WHICH',
    group: 'Scripts',
    help: 'protocolDetected or all, on captures',
  }),
  output('exportFlows', { name: 'export-flows', value: 'FILE|-', group: 'Output', help: 'flows at their end, as JSON lines' }),
  output('exportEvents', {
    name: 'export-events',
    value: 'FILE|-',
    group: 'Output',
    rare: true,
    help: 'callbacks that are due, as JSON lines',
  }),
  output('exportAlerts', {
    name: 'export-alerts',
    value: 'FILE|-',
    group: 'Output',
    help: 'alerts, as JSON lines; - = stdout',
  }),
  {
    name: 'data-dir',
    short: 'd',
    value: 'DIR',
    group: 'Output',
    help: 'folder for what is kept, and for control',
    more: 'Without it everything is in memory, and `top` and `prefs` cannot talk to the run. It is made where it is missing. One process at a time can use it.',
    default: '',
    read: (texts, name) => ({ dataDirectory: resolve(notEmpty(last(texts), name)) }),
  },
  {
    name: 'http-port',
    short: 'w',
    value: '[ADDR:]PORT',
    group: 'Web',
    help: 'web interface [127.0.0.1:3000], 0: none',
    more: 'An address of this machine and a port; `0` is no web interface, `0.0.0.0:3000` are all addresses. See [the guide](../guides/web-server.md).',
    default: '',
    read: (texts, name) => ({ web: webAddress(last(texts), name) }),
  },
  {
    name: 'no-web',
    group: 'Web',
    rare: true,
    help: 'no web interface: end after the captures',
    default: '',
    read: () => ({ web: 'none' }),
  },
  {
    name: 'web-name',
    value: 'NAME',
    group: 'Web',
    repeatable: true,
    rare: true,
    help: 'host name that the web interface has',
    more: 'Beside `localhost` and addresses. Requests for other names are refused.',
    default: '',
    read: (texts, name) => ({ webNames: texts.map((text) => notEmpty(text, name)) }),
  },
  {
    name: 'password-file',
    value: 'FILE',
    group: 'Web',
    rare: true,
    help: 'password of the user admin',
    more: 'Its first line. Without it the first start makes one and prints it.',
    default: '',
    read: (texts, name) => ({ passwordFile: resolve(notEmpty(last(texts), name)) }),
  },
  {
    name: 'tls-cert',
    value: 'FILE',
    group: 'Web',
    rare: true,
    help: 'certificate for HTTPS (PEM)',
    more: 'With those between it and its authority. Needs --tls-key.',
    default: '',
    read: (texts, name) => ({ tls: { cert: resolve(notEmpty(last(texts), name)) } }),
  },
  {
    name: 'tls-key',
    value: 'FILE',
    group: 'Web',
    rare: true,
    help: 'its key (PEM, without a password)',
    default: '',
    read: (texts, name) => ({ tls: { key: resolve(notEmpty(last(texts), name)) } }),
  },
  {
    name: 'tls-self-signed',
    group: 'Web',
    rare: true,
    help: 'HTTPS with a certificate of our own',
    more: 'It is made at the first start and kept in the data directory; its fingerprint is printed, to compare with what the browser shows.',
    default: '',
    read: () => ({ tls: { selfSigned: true } }),
  },
  integer(
    'uploadLimit',
    1 << 20,
    1024 * 2 ** 30,
    { name: 'upload-limit', value: 'BYTES', group: 'Web', rare: true, help: 'largest capture to upload', more: 'Also with K, M, G.' },
    true,
  ),
  choice('logLevel', LOG_LEVELS, { name: 'log-level', value: 'LEVEL', group: 'Program', rare: true, help: 'debug, info, warn or error' }),
  {
    name: 'log-format',
    value: 'FORMAT',
    group: 'Program',
    rare: true,
    help: 'text or json',
    more: 'Without it text on a terminal, and lines of JSON everywhere else.',
    default: '',
    read(texts, name) {
      const found = LOG_FORMATS.find((word) => word === last(texts));
      if (found !== undefined) return { logFormat: found };
      throw usageError(`${name}: '${last(texts)}' is not one of ${LOG_FORMATS.join(', ')}`, didYouMean(last(texts), LOG_FORMATS));
    },
  },
  ofProgram({
    name: 'config',
    value: 'FILE',
    group: 'Program',
    help: 'read options from a file',
    more: 'Lines of the form `name = value` with the long names; # begins a comment; a switch needs no value. Those on the command line win.',
  }),
  ofProgram({ name: 'help', short: 'h', group: 'Program', help: 'this help' }),
  ofProgram({ name: 'version', short: 'V', group: 'Program', help: 'versions of program and libraries' }),
];
