/**
 * Help for a terminal (80 columns; the first screen has 40 lines at most) and the reference of all options and commands, all of it
 * from the declarations.
 */
import { type AnyOption, COMMANDS, type CommandDeclaration, type CommandName, commandNamed } from './commands.ts';
import { wrap } from './format.ts';
import { OPTION_GROUPS, OPTIONS } from './options.ts';
import { SCRIPT_OPTIONS } from './scripts/options.ts';
import { VIEW_OPTIONS } from './view-options.ts';

const COLUMNS = 80;

const left = (option: AnyOption): string =>
  `${option.short === undefined ? '    ' : `-${option.short}, `}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;

/** Options by group: the name of a group stands before the first of it. The default stands in the line where it fits. */
function optionLines(options: readonly AnyOption[]): string[] {
  const groups = ['Table', ...OPTION_GROUPS].filter((group) => options.some((option) => option.group === group));
  const groupWidth = Math.max(...groups.map((group) => group.length));
  const width = Math.max(...options.map((option) => left(option).length));
  return groups.flatMap((group) =>
    options
      .filter((option) => option.group === group)
      .flatMap((option, index) => {
        const head = `${(index === 0 ? group : '').padEnd(groupWidth)}  ${left(option).padEnd(width)}  `;
        const shown = option.default === '' ? '' : ` [${option.default}]`;
        const text = head.length + option.help.length + shown.length <= COLUMNS ? option.help + shown : option.help;
        return wrap(text, COLUMNS - head.length, '').map((line, at) => (at === 0 ? head : ' '.repeat(head.length)) + line);
      }),
  );
}

const pairs = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`.trimEnd());
};

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** The help on one screen: commands, and the options that most runs need. */
const screenHelp = (): string =>
  text([
    'flowpatrol watches the flows of networks and captures and runs scripts on them.',
    '',
    ...pairs([
      ['flowpatrol -i eth0 …', 'watch an interface (Ctrl-C ends)'],
      ['flowpatrol -i FILE …', 'read a capture'],
      ...COMMANDS.map(({ name, help }): [string, string] => [`flowpatrol ${name} …`, help]),
    ]),
    '',
    ...optionLines(OPTIONS.filter((option) => !option.rare)),
    '',
    `All ${OPTIONS.length} options: flowpatrol help options. Exit: 0 done, 1 failed, 2 wrong use.`,
  ]);

const allOptionsHelp = (): string => text(optionLines(OPTIONS));

const usageOf = ({ name, usage }: CommandDeclaration): string => `flowpatrol ${name} ${usage}`.trimEnd();

const optionsOf = ({ options }: CommandDeclaration): AnyOption[] =>
  [...SCRIPT_OPTIONS, ...VIEW_OPTIONS, ...OPTIONS].filter((option) => options.includes(option.name));

function commandHelp(command: CommandDeclaration): string {
  const options = optionsOf(command);
  return text([
    ...wrap(usageOf(command), COLUMNS, '    '),
    '',
    ...wrap(`${command.help[0]?.toUpperCase()}${command.help.slice(1)}${command.help.endsWith('?') ? '' : '.'}`, COLUMNS, ''),
    ...command.more.flatMap((paragraph) => ['', ...wrap(paragraph, COLUMNS, '')]),
    ...(options.length === 0 ? [] : ['', ...optionLines(options)]),
    ...(command.examples.length === 0 ? [] : ['', 'Examples', ...examplesOf(command)]),
  ]);
}

const examplesOf = ({ name, examples }: CommandDeclaration): string[] =>
  examples.flatMap(([args, what]) => [`  flowpatrol ${name} ${args}`, `      ${what}`]);

/** @param topic `''`: the first screen */
export function helpText(topic: CommandName | 'options' | '' = ''): string {
  if (topic === 'options') return allOptionsHelp();
  const command = topic === '' ? undefined : commandNamed(topic);
  return command === undefined ? screenHelp() : commandHelp(command);
}

const cell = (words: string): string => words.replaceAll('|', '\\|');

function optionRow(option: AnyOption): string {
  const meaning = [
    `${option.help[0]?.toUpperCase()}${option.help.slice(1)}.`,
    option.repeatable ? 'May be given several times.' : '',
    option.more ?? '',
  ];
  const fallback = option.default === '' ? '' : `\`${option.default}\``;
  return `| \`${cell(left(option).trim())}\` | ${cell(fallback)} | ${cell(meaning.filter((words) => words !== '').join(' '))} |`;
}

const OPTION_HEAD = '| Option | Default | Meaning |\n|---|---|---|';

/** Options of a run as a command takes them: by name, as their table stands above. */
function takenFromRun(command: CommandDeclaration): string[] {
  const names = optionsOf(command).filter((option) => (OPTIONS as readonly AnyOption[]).includes(option));
  return names.length === 0 ? [] : [`Options of a run that it takes: ${names.map(({ name }) => `\`--${name}\``).join(', ')}.\n`];
}

/** The reference as Markdown: docs/reference/options.md is generated from it. */
export function optionsReference(): string {
  const parts = ['# Options and commands\n\n`flowpatrol [options]` runs. Without any argument a demo is played.\n'];
  for (const group of OPTION_GROUPS) {
    const options = OPTIONS.filter((option) => option.group === group);
    parts.push(`## ${group}\n\n${OPTION_HEAD}`, ...options.map(optionRow), '');
  }
  parts.push('## Commands\n\n| Command | What |\n|---|---|');
  for (const { name, help } of COMMANDS) parts.push(`| \`flowpatrol ${name}\` | ${cell(help)} |`);
  parts.push('');
  for (const command of COMMANDS.filter(({ options }) => options.length > 0)) {
    parts.push(`### ${command.name}\n`, `\`${usageOf(command)}\`\n`, ...command.more.map((paragraph) => `${paragraph}\n`));
    parts.push(...takenFromRun(command));
  }
  parts.push(
    '### Options of commands\n',
    OPTION_HEAD.replace('| Meaning', '| Commands | Meaning').replace('---|---|---', '---|---|---|---'),
  );
  for (const option of [...VIEW_OPTIONS, ...SCRIPT_OPTIONS]) {
    const of = COMMANDS.filter(({ options }) => (options as readonly string[]).includes(option.name)).map(({ name }) => name);
    const [, name, fallback, meaning] = optionRow(option).split(/(?<!\\) ?\| ?/);
    parts.push(`| ${name} | ${fallback} | ${of.join(', ')} | ${meaning} |`);
  }
  parts.push(
    '',
    '## Configuration file\n',
    'A file given with `--config` holds one option of a run a line, `name = value`, under the long names above; `#` begins a comment, values',
    'may stand in double quotes, a switch needs no value. The forms `-i=eth0` and `--name=value` are understood too. An option that is given',
    'on the command line replaces that of the file, all its lines where it can be repeated. A command takes from the file what it knows.\n',
    '```',
    '# the office',
    'interface = eth0',
    'local-networks = 192.168.0.0/16',
    'max-flows = 200000',
    'promiscuous = no',
    '```\n',
    '## Exit codes\n',
    '| Code | Meaning |\n|---|---|',
    '| 0 | done, also after one SIGINT or SIGTERM: the last visits are made and exports are complete |',
    '| 1 | it could not be done: no permission, an unreadable capture, a failed thread |',
    '| 2 | the options are wrong |',
    '| 130 | ended at once by a second signal |\n',
  );
  return parts.join('\n');
}
