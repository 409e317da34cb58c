// Does not return from its fifth call.
import { defineScript } from 'flowpatrol';

let calls = 0;
export default defineScript({
  key: 'ts_loop',
  title: 'Endless loop',
  protocolDetected() {
    calls++;
    while (calls >= 5) calls++;
  },
});
