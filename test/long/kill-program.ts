/**
 * The program is killed 50 times under load: `node test/long/kill-program.ts [KILLS] [SEED] [ALERTS A SECOND]`. Ends with 1 when something
 * that was shown is gone, or a start takes 3 s. How: killing.ts. The figures stand in docs/reliability.md.
 */
import { kill } from './killing.ts';

const MOST_START_MS = 3000;
const [kills = '50', seed = '1', rate = '200'] = process.argv.slice(2);
const { wrong, startMs, ...rest } = await kill({
  ...{ kills: Number(kills), seed: Number(seed), rate: Number(rate) },
  onKill: (line) => console.log(line),
});
for (const line of wrong.slice(0, 50)) console.log(`     ${line}`);
const sorted = startMs.toSorted((a, b) => a - b).map(Math.round);
console.log(JSON.stringify(rest));
console.log(
  `${kills} kills (seed ${seed}): ${wrong.length} wrong; ${sorted.length} starts: ${sorted[0]} ms at least, ${sorted[sorted.length >> 1]} in the middle, ${sorted.at(-1)} at most`,
);
process.exitCode = wrong.length > 0 || (sorted.at(-1) ?? 0) > MOST_START_MS ? 1 : 0;
