// Takes all the memory there is in one call.
import { defineScript } from 'flowpatrol';

let calls = 0;
const kept: number[][] = [];
export default defineScript({
  key: 'ts_memory',
  title: 'Eats memory',
  protocolDetected() {
    calls++;
    while (calls >= 30) kept.push(new Array<number>(100_000).fill(1.5));
  },
});
