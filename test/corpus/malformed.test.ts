/**
 * Truncated, corrupt and hostile captures (../shared/corpus/malformed): each opens with a clear error or runs to its end with as
 * many packets as libpcap reads. Run by `npm run test:corpus`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { exportCapture } from '../support/run-capture.ts';
import { runCli } from '../support/run-cli.ts';
import { corpusPath } from './corpus-support.ts';

/** A row of index.tsv. */
interface Malformed {
  readonly file: string;
  /** Packets that libpcap reads before it stops. */
  readonly packets: number;
  /** libpcap's words; `''` for none. */
  readonly error: string;
}

/** tcpdump's, of a filter that it compiles for a link type it does not know; libpcap reads the file. */
const OF_TCPDUMP = /^unknown data link type/;
/** Every so many files one goes through the command line too. */
const CLI_EVERY = 29;

let files: Malformed[] = [];
before(() => {
  const [head = '', ...rows] = readFileSync(corpusPath('malformed/index.tsv'), 'utf8').trimEnd().split('\n');
  const names = head.split('\t');
  files = rows.map((row) => {
    const cells = row.split('\t');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    return { file: cell('file'), packets: Number(cell('packets_libpcap')), error: cell('libpcap_error') };
  });
});

const path = (file: string): string => corpusPath(`malformed/${file}`);

describe('malformed captures', () => {
  it('open with an error, or give every packet before the damage', (t) => {
    const wrong: string[] = [];
    let refused = 0;
    let damaged = 0;
    for (const { file, packets, error } of files) {
      try {
        const run = exportCapture(path(file));
        const { counters, flows } = run;
        if ((counters.packets ?? 0) !== packets)
          wrong.push(`${file}: ${counters.packets ?? 0} packets, libpcap reads ${packets} (${error})`);
        if (run.damage === '' && error !== '' && !OF_TCPDUMP.test(error)) wrong.push(`${file}: no word of '${error}'`);
        if (run.damage !== '') damaged++;
        const inFlows = flows.reduce((sum, line) => sum + Number((JSON.parse(line) as Record<string, unknown>).packets), 0);
        if (inFlows !== (counters.decoded ?? 0)) wrong.push(`${file}: ${counters.decoded ?? 0} packets decoded, ${inFlows} in flows`);
      } catch (thrown) {
        refused++;
        const { message } = thrown as Error;
        if (!(thrown instanceof Error) || message === '') wrong.push(`${file}: refused without a word`);
        else if (thrown.constructor !== Error) wrong.push(`${file}: ${thrown.stack}`);
        else if (packets > 0) wrong.push(`${file}: refused (${message}), libpcap reads ${packets} packets`);
      }
    }
    t.diagnostic(`${files.length} files: ${refused} refused, ${damaged} read up to a damage`);
    assert.deepEqual(wrong, []);
  });

  it('end the program with code 0 or 1 and a message', () => {
    for (const { file } of files.filter((_, i) => i % CLI_EVERY === 0)) {
      const { status, signal, stderr } = runCli(['-i', path(file), '--shutdown-when-done']);
      assert.equal(signal, null, `${file}: ended by ${signal}\n${stderr}`);
      assert.ok(status === 0 || status === 1, `${file}: exit code ${status}\n${stderr}`);
      assert.notEqual(stderr.trim(), '', `${file}: exit code ${status} without a word`);
      assert.doesNotMatch(stderr, /^\s+at .*\.ts:\d+/m, `${file}: a stack trace`);
    }
  });
});
