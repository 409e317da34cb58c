/**
 * Help on a screen (40 lines of 100 columns at most) and the reference of all options, both from the declaration.
 */
import { OPTION_GROUPS, OPTIONS, type OptionDeclaration } from './options.ts';

const COLUMNS = 100;

const left = (option: OptionDeclaration): string =>
  `${option.short === undefined ? '    ' : `-${option.short}, `}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;

/** The default stands in the line where it is short enough to fit. */
const right = (option: OptionDeclaration, width: number): string => {
  const shown = option.default === '' ? '' : ` [${option.default}]`;
  return option.help.length + shown.length <= width ? option.help + shown : option.help;
};

/** The help for a terminal. */
export function helpText(): string {
  const width = Math.max(...OPTIONS.map((option) => left(option).length));
  const groupWidth = Math.max(...OPTION_GROUPS.map((group) => group.length));
  const lines = [
    'flowpatrol watches the flows of networks and captures, and runs scripts on them.',
    '  flowpatrol [options]    flowpatrol interfaces    flowpatrol help    (nothing: a demo)',
    '',
  ];
  for (const group of OPTION_GROUPS) {
    for (const [index, option] of OPTIONS.filter((candidate) => candidate.group === group).entries()) {
      const head = `${(index === 0 ? group : '').padEnd(groupWidth)}  ${left(option).padEnd(width)}  `;
      lines.push(head + right(option, COLUMNS - head.length));
    }
  }
  lines.push('', 'Only exports write to standard output. Exit code: 0 done, 1 could not be done, 2 wrong options.');
  return `${lines.join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The reference as Markdown: docs/reference/options.md is generated from it. */
export function optionsReference(): string {
  const parts = [
    '# Options\n\n`flowpatrol [options]`, `flowpatrol interfaces`, `flowpatrol help`. Without any argument a demo is played.\n',
  ];
  for (const group of OPTION_GROUPS) {
    parts.push(`## ${group}\n\n| Option | Default | Meaning |\n|---|---|---|`);
    for (const option of OPTIONS.filter((candidate) => candidate.group === group)) {
      const name = left(option).trim();
      const meaning = [
        `${option.help[0]?.toUpperCase()}${option.help.slice(1)}.`,
        option.repeatable && !option.help.includes('may repeat') ? 'May be given several times.' : '',
        option.more ?? '',
      ];
      const fallback = option.default === '' ? '' : `\`${option.default}\``;
      parts.push(`| \`${cell(name)}\` | ${cell(fallback)} | ${cell(meaning.filter((text) => text !== '').join(' '))} |`);
    }
    parts.push('');
  }
  parts.push(
    '## Configuration file\n',
    'A file given with `--config` holds one option a line, `name = value`, under the long names above; `#` begins a comment, values may',
    'stand in double quotes, a switch needs no value. The forms `-i=eth0` and `--name=value` are understood too. An option that is given',
    'on the command line replaces that of the file, all its lines where it can be repeated.\n',
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
