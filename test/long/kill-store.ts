/**
 * The history is killed 50 times while it stores as fast as it can: `node test/long/kill-store.ts [KILLS] [SEED]`.
 *
 * After each kill the next start must take under 3 s, and everything that was told to be stored must be there. Ends with 1 otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAfter, look, nothingTold } from '../store/history-kills.ts';

const [kills = '50', seed = '1'] = process.argv.slice(2);
const MOST_OPEN_MS = 3000;
const MOST_LINES = 1500;

/** Numbers from 0 to 1, the same for a seed: a linear congruence modulo the prime 2^31 - 1. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const random = createRandom(Number(seed));
const directory = await mkdtemp(join(tmpdir(), 'history-kill-'));
const told = nothingTold();
let slowest = 0;
let mostCpu = 0;
let missing = 0;
for (let kill = 1; kill <= Number(kills); kill++) {
  // early ones often: a start has its own work in the files
  const lines = 1 + Math.floor(random() ** 3 * MOST_LINES);
  await killAfter(directory, `k${kill}`, lines, told);
  const found = await look(directory, told);
  slowest = Math.max(slowest, found.openMs);
  mostCpu = Math.max(mostCpu, found.openCpuMs);
  missing += found.missing.length;
  console.log(
    `${String(kill).padStart(3)}: killed after ${String(lines).padStart(4)} lines, ${found.openMs.toFixed(0)} ms to open (CPU ${found.openCpuMs.toFixed(0)}); ` +
      `${told.alerts.size} alerts told, ${found.alerts} found; ${found.flows} flows; ${found.missing.length} missing`,
  );
  for (const each of found.missing.slice(0, 10)) console.log(`     ${each}`);
}
await rm(directory, { recursive: true });
console.log(
  `${kills} kills (seed ${seed}): ${missing} missing, slowest start ${slowest.toFixed(0)} ms, ${mostCpu.toFixed(0)} ms of CPU at most`,
);
process.exitCode = missing > 0 || slowest > MOST_OPEN_MS ? 1 : 0;
