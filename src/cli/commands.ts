/**
 * The commands, declared once: parsing (parse.ts), help and reference (help.ts) are derived from this list. Without a command
 * flowpatrol runs; without anything it plays a demo.
 */
import { OPTIONS } from './options.ts';
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
  ...['export-flows', 'export-events', 'export-alerts', 'data-dir', 'http-port', 'help', 'version'],
]);

const runOptions = OPTIONS.filter((option) => !option.command || option.name === 'config').map((option) => option.name);

const DECLARED = [
  {
    name: 'flows',
    usage: '-i FILE… [options]',
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
    usage: '-d DIR [options]',
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
    more: [],
    options: [],
    words: 0,
    examples: [],
  },
  { name: 'demo', usage: '', help: 'two shipped captures, with all callbacks', more: [], options: [], words: 0, examples: [] },
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

/** Options of a run and of views. */
export const ALL_OPTIONS = [...OPTIONS, ...VIEW_OPTIONS] as const;
export type AnyOption = (typeof ALL_OPTIONS)[number];
