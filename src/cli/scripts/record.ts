/** `flowpatrol record`: a run whose script host keeps its events. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MAGIC } from '../../recording/format.ts';
import { checkConfig } from '../check.ts';
import { usageError } from '../errors.ts';
import { bytes } from '../format.ts';
import type { ScriptInvocation } from '../parse.ts';
import { run } from '../run.ts';
import type { Surroundings } from './command.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);

/** Is it a recording, or nothing yet? Anything else is not overwritten. */
function mayOverwrite(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.size === 0) return true;
  if (!stat.isFile()) return false;
  const start = Buffer.alloc(MAGIC.length);
  const file = openSync(path, 'r');
  readSync(file, start, 0, start.length, 0);
  closeSync(file);
  return path.endsWith('.gz') ? start.subarray(0, GZIP.length).equals(GZIP) && !/\.(pcap|pcapng|cap)\.gz$/.test(path) : start.equals(MAGIC);
}

/** @returns the exit code */
export async function record({ config, of }: ScriptInvocation, { version, screen }: Surroundings): Promise<number> {
  const { output } = of;
  if (output === undefined) throw usageError('record: no -o FILE given', `flowpatrol record -i ${config.interfaces[0] ?? '…'} -o FILE`);
  if (config.interfaces.length > 1) {
    throw usageError(`record keeps the events of one interface, and ${config.interfaces.length} are given`, 'run it once for each');
  }
  const directory = dirname(output);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw usageError(`-o: the directory ${directory} does not exist`, `mkdir ${directory}`);
  }
  const kindOf = checkConfig(config);
  if (!mayOverwrite(output)) throw usageError(`-o: ${output} is there already, and is no recording`, 'give another name, or remove it');
  // a recording is for scripts that are yet to be written: it has every callback, and is done when its capture is
  const kept = { ...config, pcapCallbacks: 'all', shutdownWhenDone: true, recordTo: { path: output, events: 'all', version } } as const;
  const code = await run(kept, kindOf, version, screen);
  const size = statSync(output, { throwIfNoEntry: false })?.size;
  if (size !== undefined) screen.line(`Recording: ${output}, ${bytes(size)}`);
  return code;
}
