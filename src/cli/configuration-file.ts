/**
 * The configuration file: text in, (option, value, line) out. What the values mean is decided by parse.ts, as for the command line.
 *
 *   # comment                      max-flows = 200000
 *   interface = eth0               shutdown-when-done
 *   -i=eth1                        promiscuous = no
 *   --packet-filter="port 53"      no-scripts = yes
 */
import { usageError } from './errors.ts';
import { didYouMean, OPTIONS, type OptionDeclaration } from './options.ts';

export interface FileOption {
  readonly option: OptionDeclaration;
  /** `''` for a switch. */
  readonly text: string;
  /** `file:line`, for errors. */
  readonly where: string;
}

const LINE = /^(-{0,2})([A-Za-z][A-Za-z0-9-]*)(?:\s*=\s*(.*))?$/;
const YES = new Set(['', 'yes', 'true', 'on', '1']);
const NO = new Set(['no', 'false', 'off', '0']);

/** Cuts a comment (a # at the start or after a space, outside of quotes) and takes off quotes around the value. */
const clean = (line: string): string => line.replace(/^((?:"[^"]*"|[^"])*?)(?:(?:^|\s)#.*)$/, '$1').trim();
const unquoted = (text: string): string => (/^"[^"]*"$|^'[^']*'$/.test(text) ? text.slice(1, -1) : text);

/**
 * @param file name of the file, for errors
 * @throws a usage error that names file and line
 */
export function parseConfigurationFile(content: string, file: string): FileOption[] {
  const found: FileOption[] = [];
  for (const [index, line] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const text = clean(line);
    const where = `${file}:${index + 1}`;
    if (text === '') continue;
    const match = LINE.exec(text);
    if (match === null) throw usageError(`${where}: '${text}' is not of the form name = value`);
    const name = match[2] as string;
    const option = find(match[1] as string, name);
    const negated = option === undefined ? find('', `no-${name}`) : undefined;
    const declared = option ?? negated;
    if (declared === undefined) {
      throw usageError(
        `${where}: unknown option '${name}'`,
        didYouMean(
          name,
          OPTIONS.filter((known) => !known.command).map((known) => known.name),
        ),
      );
    }
    if (declared.command) throw usageError(`${where}: ${name} is for the command line only`);
    const value = unquoted(match[3] ?? '');
    if (declared.value === undefined) {
      if (!YES.has(value) && !NO.has(value)) throw usageError(`${where}: '${value}' is neither yes nor no`);
      if (YES.has(value) === (negated === undefined)) found.push({ option: declared, text: '', where });
    } else {
      if (match[3] === undefined) throw usageError(`${where}: ${name} needs a value`, `${declared.name} = ${declared.value}`);
      found.push({ option: declared, text: value, where });
    }
  }
  return found;
}

/** One dash: a letter; two dashes or none: a long name. */
const find = (dashes: string, name: string): OptionDeclaration | undefined =>
  OPTIONS.find((option) => (dashes === '-' ? option.short === name : option.name === name || option.aliases?.includes(name) === true));
