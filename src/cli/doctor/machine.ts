/** Memory, processor and limits of the machine against what the options ask for. */
import { availableParallelism, loadavg } from 'node:os';
import type { Config } from '../../config.ts';
import { RECORD_BYTES } from '../../flows/record.ts';
import { bytes, count } from '../format.ts';
import { type Finding, hint, ok } from './finding.ts';
import type { Patient } from './inputs.ts';
import { readText } from './system.ts';

const RMEM_MAX = '/proc/sys/net/core/rmem_max';
const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';

/** A pause of a second at 10,000 datagrams/s, each of which takes about 2.3 KiB with the kernel's own bookkeeping. */
const UDP_BUFFER_BYTES = 32 << 20;

/**
 * Sockets of UDP collectors can have no larger buffer than this. Captures are not meant: their ring is mapped memory (packet(7)).
 * @param text of net.core.rmem_max, bytes
 */
export function udpBufferFinding(text: string, collectors: readonly string[]): Finding {
  const most = Number(text);
  const what = `UDP sockets may buffer ${bytes(most)}`;
  if (collectors.length === 0) return ok('udp-buffer', `${what}; no collector is asked for`);
  if (most >= UDP_BUFFER_BYTES) return ok('udp-buffer', what);
  return hint('udp-buffer', `${what}: bursts for ${collectors[0]} may be lost`, `sudo sysctl -w net.core.rmem_max=${UDP_BUFFER_BYTES}`);
}

/** @param text `always [madvise] never`: the one in brackets holds (the kernel's admin-guide/mm/transhuge) */
export function hugePagesFinding(text: string): Finding {
  const mode = /\[(\w+)\]/.exec(text)?.[1];
  if (mode === 'always' || mode === 'madvise') return ok('huge-pages', `flow tables get huge pages (${mode})`);
  return hint('huge-pages', 'huge pages are off: large flow tables cost more time', `echo madvise | sudo tee ${HUGE_PAGES}`);
}

/** Buckets, IPv6 addresses, details and nDPI's share of a flow: with the record 690 bytes, a tenth more than docs/performance.md has measured. */
const BESIDES_RECORD_BYTES = 306;
/** Node, script host, nDPI's own tables. */
const BASE_BYTES = 250e6;

/** @param available bytes that this process may still take, within the limits of its control group */
export function memoryFinding(available: number, config: Config, interfaces: number, live: number): Finding {
  const perFlow = (RECORD_BYTES + BESIDES_RECORD_BYTES) * Math.max(1, interfaces);
  const fixed = BASE_BYTES + live * config.bufferBytes;
  const need = fixed + config.maxFlows * perFlow;
  const tables = `${interfaces > 1 ? `${interfaces} × ` : ''}${count(config.maxFlows)} flows`;
  const what = `${bytes(available)} available, up to ${bytes(need)} needed for ${tables}`;
  if (need <= available) return ok('memory', what);
  const flows = Math.floor((available - fixed) / perFlow);
  if (flows < 1000) return hint('memory', what, live === 0 ? '--max-flows 1000' : '--max-flows 1000 --buffer-size 4M');
  const round = 10 ** (String(flows).length - 1);
  return hint('memory', what, `--max-flows ${Math.floor(flows / round) * round}`);
}

/** Each interface has a thread that reads and one that runs scripts. */
export function processorFinding(cores: number, load: number, interfaces: number): Finding {
  const what = `${cores} ${cores === 1 ? 'core' : 'cores'}, load ${load.toFixed(2)}`;
  if (load > cores) return hint('processor', `${what}: more waits for them than they can run`, 'top');
  if (cores < 2) return hint('processor', `${what}: an interface has two threads, reading and scripts`, '--no-scripts');
  if (cores < interfaces + 1) {
    return hint('processor', `${what}: fewer than the ${interfaces} interfaces and their scripts keep busy`, '-B FILTER, or fewer -i');
  }
  return ok('processor', what);
}

const ENOUGH_FILES = 1024;

/** @param text of /proc/self/limits: columns of soft limit, hard limit, unit (proc(5)) */
export function openFilesFinding(text: string): Finding | undefined {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(text) ?? [];
  if (soft === undefined) return undefined;
  const what = `${soft} files may be open at once`;
  return soft === 'unlimited' || Number(soft) >= ENOUGH_FILES
    ? ok('open-files', what)
    : hint('open-files', `${what}: too few with many scripts, exports and clients`, `ulimit -n ${ENOUGH_FILES}`);
}

export function* machineChecks({ config, inputs }: Patient): Generator<Finding> {
  const interfaces = Math.max(1, config.interfaces.length);
  const live = inputs.named ? inputs.live.length : Math.min(1, inputs.live.length);
  const rmem = readText(RMEM_MAX);
  if (rmem !== undefined) yield udpBufferFinding(rmem, inputs.udp);
  const pages = readText(HUGE_PAGES);
  if (pages !== undefined) yield hugePagesFinding(pages);
  yield memoryFinding(process.availableMemory(), config, interfaces, live);
  yield processorFinding(availableParallelism(), loadavg()[0] as number, interfaces);
  const limits = readText('/proc/self/limits');
  const files = limits === undefined ? undefined : openFilesFinding(limits);
  if (files !== undefined) yield files;
}
