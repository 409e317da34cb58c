/** Live flows where they are: every field says what it says of a copy, whichever is read first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS } from '../../src/flows/fields.ts';
import { createEventView } from '../../src/flows/view.ts';
import { CAPTURES } from '../support/golden.ts';
import { runCapture } from '../support/run-capture.ts';

for (const capture of ['tls-1.1.pcap', 'http-dns.pcap', 'ipv6.pcap', 'windows-network.pcap', 'quic.pcap']) {
  test(`${capture}: the fields of a flow in the table are those of its event`, () => {
    let looked = 0;
    runCapture(
      `${CAPTURES}${capture}`,
      {
        batchPackets: 7,
        maxIdle: 5,
        visitPeriod: 2,
        afterBatch(engine) {
          const look = engine.look();
          const copy = createEventView(look.view.names);
          for (let id = 1; id < engine.limit(); id++) {
            if (!look.at(id)) continue;
            const live = FIELDS.map((field) => field.read(look.view));
            assert.ok(look.at(id)); // the copy comes first now
            const length = look.copy();
            copy.set(look.event, 0);
            assert.equal(copy.length(), length);
            assert.deepEqual(
              live,
              FIELDS.map((field) => field.read(copy)),
            );
            assert.deepEqual(
              FIELDS.toReversed().map((field) => field.read(look.view)),
              live.toReversed(),
            );
            looked++;
          }
        },
      },
      () => {},
    );
    assert.ok(looked > 0);
  });
}
