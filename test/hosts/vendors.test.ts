/** Makers of network cards. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVendors, readVendors } from '../../src/hosts/vendors.ts';
import { mac } from '../support/packets.ts';

describe('vendors', () => {
  test('the list of the IEEE', () => {
    const { vendor } = createVendors();
    const of = (text: string): string => vendor(mac(text), 0);
    assert.equal(of('00:00:0c:12:34:56'), 'Cisco Systems, Inc');
    assert.equal(of('10:00:20:00:00:01'), 'Apple, Inc.');
    assert.equal(of('00:00:00:12:34:56'), 'XEROX CORPORATION');
  });

  test('the longest prefix wins; no maker behind the registry itself and behind private prefixes', () => {
    const { vendor } = createVendors(() =>
      readVendors(() => ({
        '001122': 'IEEE Registration Authority\n445 Hoes Lane',
        '0011223': 'Middle\nStreet',
        '001122334': 'Small\nStreet',
        '001133': 'Private',
        '001144': 'Köln GmbH',
      })),
    );
    const bytes = Uint8Array.of(9, 9, ...mac('00:11:22:33:45:66'));
    assert.equal(vendor(bytes, 2), 'Small');
    const of = (text: string): string => vendor(mac(text), 0);
    assert.deepEqual(['00:11:22:3f:00:00', '00:11:22:40:00:00', '00:11:33:00:00:01', '00:11:44:00:00:01', '00:11:55:00:00:01'].map(of), [
      'Middle',
      '',
      '',
      'K\xc3\xb6ln GmbH',
      '',
    ]);
  });

  test('unknown, locally administered and multicast addresses: the list is not even read', () => {
    const { vendor } = createVendors(() => assert.fail('read'));
    for (const text of ['00:00:00:00:00:00', '02:00:0c:00:00:01', '01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', 'aa:00:04:00:00:01']) {
      assert.equal(vendor(mac(text), 0), '', text);
    }
  });
});
