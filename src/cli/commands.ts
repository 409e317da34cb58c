/**
 * The commands, declared once: parsing (parse.ts), help and reference (help.ts) are derived from this list. Without a command
 * flowpatrol runs; without anything it plays a demo.
 */
import { OPTIONS } from './options.ts';
import { SCRIPT_OPTIONS } from './scripts/options.ts';
import { VIEW_OPTIONS } from './view-options.ts';

export interface CommandDeclaration {
  readonly name: string;
  /** What follows the name. */
  readonly usage: string;
  /** One line. */
  readonly help: string;
  /** Further paragraphs. */
  readonly more: readonly string[];
  /** Long names of the options it takes. */
  readonly options: readonly string[];
  /** Words that may follow. */
  readonly words: number;
  /** Arguments, and what they do. */
  readonly examples: readonly (readonly [string, string])[];
}

const FLOWS = ['filter', 'sort', 'reverse', 'limit', 'columns', 'wide', 'json'] as const;

/** What makes no difference to flows in a table, or belongs to a live run. */
const NOT_FOR_FLOWS: ReadonlySet<string> = new Set([
  ...['original-speed', 'shutdown-when-done', 'ids-alerts', 'snap-length', 'capture-threads', 'no-promiscuous', 'buffer-size'],
  ...['export-flows', 'export-events', 'export-alerts', 'data-dir', 'help', 'version'],
  ...['http-port', 'no-web', 'web-name', 'password-file', 'tls-cert', 'tls-key', 'tls-self-signed', 'upload-limit'],
]);

/** Decided by the commands that run scripts on captures. */
const NOT_FOR_TESTS: ReadonlySet<string> = new Set([...NOT_FOR_FLOWS, 'interface', 'scripts-dir', 'no-scripts', 'pcap-callbacks']);

const runOptions = OPTIONS.filter((option) => !option.command || option.name === 'config').map((option) => option.name);

const DECLARED = [
  {
    name: 'flows',
    usage: '-i FILE… [--filter FILTER] [options]',
    help: 'the flows of captures, as a table',
    more: [
      'Reads the captures to their ends and prints the flows, the largest first. Scripts run only where --scripts-dir asks for them.',
      'On a terminal the table is as wide as the terminal. Elsewhere it is tab-separated with keys and plain values, for other programs.',
    ],
    options: [...FLOWS, ...runOptions.filter((name) => !NOT_FOR_FLOWS.has(name))],
    words: 0,
    examples: [
      ['-i web.pcap', 'the hundred largest flows'],
      ["-i web.pcap --filter 'proto == DNS' --columns client,query", 'who asked for what'],
      ['-i web.pcap --json --limit 1', 'everything about the largest'],
    ],
  },
  {
    name: 'top',
    usage: '-d DIR [--filter FILTER] [options]',
    help: 'the flows of a running flowpatrol, live',
    more: [
      'Asks the flowpatrol that runs with this data directory.',
      'Keys: arrows move, < and > change the column that sorts, r turns the order, / edits the filter, p pauses, Enter shows everything about a flow, q ends.',
    ],
    options: ['data-dir', ...FLOWS, 'once', 'interval', 'config'],
    words: 0,
    examples: [
      ['-d data', 'the largest flows, every 2 s'],
      ['-d data --sort throughput --once', 'the fastest, once'],
    ],
  },
  {
    name: 'prefs',
    usage: '[list | get NAME | set NAME VALUE | reset NAME] -d DIR',
    help: 'preferences: show and change them',
    more: ['A flowpatrol that runs takes a change over at its next visit of all flows. Where none runs, what is stored is changed.'],
    options: ['data-dir', 'json', 'config'],
    words: 3,
    examples: [
      ['-d data', 'all of them'],
      ['set flow_max_idle 120 -d data', 'flows end after two minutes of silence'],
    ],
  },
  {
    name: 'scripts',
    usage: '[list | check | new NAME | show KEY | enable KEY | disable KEY | shadow KEY] [options]',
    help: 'custom scripts: list, check, switch them',
    more: [
      'list: how the scripts of the running flowpatrol do (-d DIR), or what is in the folders. check: loads every script, checks the types of those in TypeScript, and runs nothing. new: writes a skeleton with a comment on everything. show: the source, with the line of the last error.',
      'enable, disable and shadow hold for all interfaces, or for one (-i NAME), and are kept in the data directory; a flowpatrol that runs takes them over at once. In shadow a script runs, and its alerts are recorded and told to nobody.',
    ],
    options: ['data-dir', 'interface', 'scripts-dir', 'lua', 'ts', 'json', 'config'],
    words: 2,
    examples: [
      ['list -d data', 'calls, failures, time and alerts of each script'],
      ['new beacon --lua', 'a script to begin with'],
      ['shadow beacon -d data -i eth0', 'try it without telling anybody'],
    ],
  },
  {
    name: 'test',
    usage: 'SCRIPT|DIR… [CAPTURE…] [options]',
    help: 'runs scripts on captures, compares with before',
    more: [
      'Each script runs alone, with all callbacks on the clock of the capture, an empty cache and default preferences. What it does is compared with tests/NAME.golden beside it. Without captures those beside the script are taken: tests/NAME.pcap, tests/NAME-*.pcap.',
      'Exit code: 0 the same (or nothing to compare with), 1 another result or a script that failed, 2 wrong use.',
    ],
    options: ['update', 'watch', 'callbacks', 'json', ...runOptions.filter((name) => !NOT_FOR_TESTS.has(name))],
    words: 10_000,
    examples: [
      ['beacon.lua office.pcap', 'what it does on a capture'],
      ['beacon.lua office.pcap --update', 'keep that as its golden text'],
      ['scripts/callbacks/interface/alerts/flow', 'all scripts of a folder'],
    ],
  },
  {
    name: 'record',
    usage: '-i NAME|FILE -o FILE [options]',
    help: 'a run that keeps all events, for replay',
    more: [
      'A run as without the command, with one interface. The file gets its lifecycle events, the scripts with their versions, what they were told and what they did: about 600 bytes an event, a seventh of that compressed. A run that is cut off leaves a file that can be read as far as it is whole.',
    ],
    options: ['output', ...runOptions],
    words: 0,
    examples: [['-i eth0 -o office.fpr.gz', 'until Ctrl-C']],
  },
  {
    name: 'replay',
    usage: 'FILE [--script FILE…] [--against FILE…] [--json]',
    help: 'a changed script over a recording',
    more: [
      'Shows which alerts come, go or change. An unchanged script does the same as it did then, byte for byte. The flows are those of the recording: statuses that a changed script sets do not feed back.',
      'Exit code: 0 no alert differs, 1 some do or a script failed to load, 2 wrong use.',
    ],
    options: ['script', 'against', 'json'],
    words: 1,
    examples: [
      ['office.fpr.gz --script beacon.lua', 'what would have been raised'],
      ['office.fpr.gz --script new.lua --against old.lua', 'two versions'],
    ],
  },
  {
    name: 'explain',
    usage: 'FLOW (-i CAPTURE… | --recording FILE | -d DIR) [options]',
    help: 'why scripts did what they did about a flow',
    more: [
      'FLOW is the id of a flow, or a filter that picks flows. For each call: which scripts were called, left out (by what) or failed, what they did, and the statuses of the flow. Of a flowpatrol that runs (-d DIR) it shows what was traced; with a filter it traces such flows from then on.',
    ],
    options: ['recording', 'script', 'data-dir', 'json', ...runOptions.filter((name) => !NOT_FOR_FLOWS.has(name))],
    words: 1,
    examples: [
      ["'host == 192.0.2.1' -i office.pcap", 'all flows of a host'],
      ['m3k2x-0-17 --recording office.fpr.gz', 'one flow'],
    ],
  },
  {
    name: 'doctor',
    usage: '[options]',
    help: 'would a run with these options work well here?',
    more: [
      'Looks at the machine, the interfaces and the files that the options name. Nothing is changed. Exit code 1: something is in the way.',
    ],
    options: ['json', ...runOptions],
    words: 0,
    examples: [['-i eth0 -d data', 'before the first run']],
  },
  {
    name: 'interfaces',
    usage: '',
    help: 'what can follow -i',
    more: [
      'With -d DIR: the interfaces of the running flowpatrol, the probes, exporters and agents that send to them, and what these tell beside flows: interfaces of exporters, listening ports of hosts.',
    ],
    options: ['data-dir', 'samples', 'json'],
    words: 0,
    examples: [
      ['-d data', 'who sends flow records, and what got lost'],
      ['-d data --samples', 'what could not be read, in hexadecimal'],
    ],
  },
  {
    name: 'demo',
    usage: '[options]',
    help: 'two shipped captures, with all callbacks',
    more: ['Also what runs without a command, where nothing is said of what to look at.'],
    options: [
      'shutdown-when-done',
      'http-port',
      'no-web',
      'web-name',
      'password-file',
      'tls-cert',
      'tls-key',
      'tls-self-signed',
      'upload-limit',
    ],
    words: 0,
    examples: [
      ['', 'with the web interface'],
      ['--no-web', 'to the end of the captures'],
    ],
  },
  {
    name: 'help',
    usage: '[COMMAND | options]',
    help: 'help for a command; options: all of them',
    more: [],
    options: [],
    words: 1,
    examples: [],
  },
  { name: 'version', usage: '', help: 'versions of program and libraries', more: [], options: [], words: 0, examples: [] },
] as const satisfies readonly CommandDeclaration[];

export type CommandName = (typeof DECLARED)[number]['name'];

export const COMMANDS: readonly (CommandDeclaration & { readonly name: CommandName })[] = DECLARED;

export const commandNamed = (name: string): (typeof COMMANDS)[number] | undefined => COMMANDS.find((command) => command.name === name);

/** Options of a run, of views, and of the commands about scripts. */
export const ALL_OPTIONS = [...OPTIONS, ...VIEW_OPTIONS, ...SCRIPT_OPTIONS] as const;
export type AnyOption = (typeof ALL_OPTIONS)[number];
