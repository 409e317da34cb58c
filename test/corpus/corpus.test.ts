/**
 * All captures of the corpus against what ndpiReader 4.2 and tshark say of them (../shared/corpus, README there).
 *
 * Enters: the captures. Leaves: a table of figures, and a failure when a threshold is missed. Run by `npm run test:corpus`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exportCapture } from '../support/run-capture.ts';
import { runCli } from '../support/run-cli.ts';
import { type CorpusCapture, comparable, corpusCaptures, corpusPath, withoutId } from './corpus-support.ts';

/** What holds for a build to pass, in per cent: a little less than what was reached when this was written. */
const FLOWS = ['--min-matched', '99.9', '--min-pkts', '99.9', '--min-bytes', '99.9', '--max-extra', '0.1', '--min-direction', '99.9'];
const tcpProblems = (retx: number, ooo: number, lost: number): string[] =>
  Object.entries({ retx, ooo, lost }).flatMap(([flag, least]) => [`--min-tcp-${flag}`, `${least}`]);
const ORDINARY = ['--skip-special', 'all', '--quiet', '--category', '--host', '--tcp'];
/** ndpiReader drops all but first fragments; flowpatrol counts them. */
const ALL_BUT_FRAGMENTS = ['--skip-special', 'fragments', '--quiet', '--category', '--host', '--tcp'];
/** Every so many captures one goes through the command line too. */
const CLI_EVERY = 50;

let folder = '';
let captures: CorpusCapture[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowpatrol-corpus-'));
  captures = corpusCaptures();
});
after(() => rmSync(folder, { recursive: true, force: true }));

const captureFile = (capture: string): string => corpusPath(`captures/${capture}`);

/** Runs every capture. @returns folder of the exports, and the captures that did not run to their end */
function exportAll(name: string, dpiPackets: { readonly tcp: number; readonly udp: number }): { flows: string; broken: string[] } {
  const flows = join(folder, name);
  const broken: string[] = [];
  for (const { capture, packets, special } of captures) {
    const file = join(flows, `${capture}.jsonl`);
    mkdirSync(dirname(file), { recursive: true });
    try {
      const run = exportCapture(captureFile(capture), { dpiPackets });
      writeFileSync(file, run.flows.map((line) => `${comparable(line)}\n`).join(''));
      if (run.counters.packets !== packets) broken.push(`${capture}: ${run.counters.packets} packets, expected ${packets}`);
      if ((run.damage !== '') !== special.includes('damaged-file')) broken.push(`${capture}: damage '${run.damage}'`);
    } catch (error) {
      broken.push(`${capture}: ${(error as Error).message}`);
    }
  }
  return { flows, broken };
}

function compare(flows: string, ...options: string[]): { status: number | null; output: string } {
  const run = spawnSync(
    'python3',
    [corpusPath('compare_flows.py'), '--expected-dir', corpusPath('expected'), '--flows-dir', flows, ...options],
    {
      encoding: 'utf8',
    },
  );
  return { status: run.status, output: run.stdout + run.stderr };
}

describe('corpus', () => {
  it('agrees with ndpiReader and tshark', (t) => {
    const { flows, broken } = exportAll('default', { tcp: 12, udp: 12 });
    assert.deepEqual(broken, []);
    const ordinary = compare(flows, ...ORDINARY, ...FLOWS, ...tcpProblems(99.5, 99.5, 96.5), '--min-proto', '99.5', '--min-host', '98.5');
    t.diagnostic(`12 packets to detection, captures without a special tag\n${ordinary.output}`);
    const special = compare(flows, ...ALL_BUT_FRAGMENTS, ...FLOWS, ...tcpProblems(98.5, 99, 96.5), '--min-proto', '99.5');
    t.diagnostic(`12 packets to detection, with tunnels, VLANs, MPLS, cut packets …\n${special.output}`);
    assert.equal(ordinary.status, 0, ordinary.output);
    assert.equal(special.status, 0, special.output);
  });

  it('agrees more with as many packets to detection as ndpiReader takes', (t) => {
    const { flows, broken } = exportAll('patient', { tcp: 80, udp: 24 });
    assert.deepEqual(broken, []);
    const { status, output } = compare(flows, ...ORDINARY, ...FLOWS, '--min-proto', '99.8');
    t.diagnostic(`80 TCP and 24 UDP packets to detection, captures without a special tag\n${output}`);
    assert.equal(status, 0, output);
  });

  it('says the same through the command line', () => {
    const sample = captures.filter((_, i) => i % CLI_EVERY === 0);
    for (const { capture } of sample) {
      const file = join(folder, 'cli.jsonl');
      const run = runCli(['-i', captureFile(capture), '--shutdown-when-done', '--export-flows', file]);
      assert.equal(run.status, 0, `${capture}: ${run.stderr}`);
      const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
      assert.deepEqual(lines.map(withoutId), exportCapture(captureFile(capture)).flows.map(withoutId), capture);
    }
  });
});
