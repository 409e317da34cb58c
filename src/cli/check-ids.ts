/**
 * Looks at the sources of alerts (`--ids-alerts`) before anything starts. Called by the command line beside check.ts; a port is
 * tried by opening it, so openIdsSources says what is wrong with that.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { IdsError, parseIdsOption } from '../ids/option.ts';
import { runError, usageError } from './errors.ts';

const OPTION = '--ids-alerts';

function checkFile(path: string, live: boolean): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    if (live) return; // it is waited for
    throw usageError(
      `${OPTION}: ${path} does not exist`,
      'with captures the file of their alerts must be there: suricata -r CAPTURE writes it',
    );
  }
  if (stat.isDirectory()) throw usageError(`${OPTION}: ${path} is a directory`, 'give the eve.json in it');
  if (!stat.isFile())
    throw usageError(`${OPTION}: ${path} is not a regular file`, 'pipes and sockets cannot be followed; for syslog: udp:ADDRESS:PORT');
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw runError(`${OPTION}: no permission to read ${path}`, `ls -l ${path} shows who may`);
  }
}

/**
 * @param texts of the option
 * @param live a network interface is among the interfaces
 * @throws CommandError
 */
export function checkIdsSources(texts: readonly string[], live: boolean): void {
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) throw usageError(`${OPTION}: ${text} is given twice`, 'each of its alerts would count twice');
    seen.add(text);
    try {
      const source = parseIdsOption(text);
      if (source.kind === 'file') checkFile(source.path, live);
      else if (!live) throw usageError(`${OPTION}: ${text} is for network interfaces`, 'with captures give the file of their alerts');
    } catch (error) {
      if (error instanceof IdsError) throw usageError(`${OPTION}: ${error.message}`, error.hint);
      throw error;
    }
  }
}
