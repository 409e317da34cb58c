/** Host pools: the file's format, which member wins, errors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPools, type Pools } from '../../src/hosts/pools.ts';
import { address, join, mac } from '../support/packets.ts';

const NO_MAC = '00:00:00:00:00:00';
const nameOf = (pools: Pools, host: string, card = NO_MAC): string => {
  const bytes = join(address(host), mac(card));
  return pools.pool(bytes, 0, host.includes(':'), bytes.length - 6).name;
};

describe('pools', () => {
  const pools = createPools(
    `# pools of the house
     [Servers]
     10.0.0.0/24, 10.0.7.9   # two of them
     2001:db8:7::/48
     [Lab]
     10.0.0.128/25 10.0.0.7
     00:80:77:12:34:56
     [Servers]
     192.168.0.0/16\r
     [Bj\u00f6rn]
     0.0.0.0/0`,
    'pools.conf',
  );

  test('numbers by the order of headings; names in Latin-1 form', () => {
    assert.deepEqual(pools.pools, [
      { id: 0, name: 'Default' },
      { id: 1, name: 'Servers' },
      { id: 2, name: 'Lab' },
      { id: 3, name: 'Bj\xc3\xb6rn' },
    ]);
  });

  test('the longest network wins, MAC addresses before networks', () => {
    const rows: [string, string, string?][] = [
      ['10.0.0.1', 'Servers'],
      ['10.0.0.7', 'Lab'],
      ['10.0.0.200', 'Lab'],
      ['10.0.7.9', 'Servers'],
      ['192.168.9.9', 'Servers'],
      ['8.8.8.8', 'Bj\xc3\xb6rn'],
      ['2001:db8:7::1', 'Servers'],
      ['2001:db8:8::1', 'Default'],
      ['192.168.9.9', 'Lab', '00:80:77:12:34:56'],
      ['2001:db8:8::1', 'Lab', '00:80:77:12:34:56'],
      ['192.168.9.9', 'Servers', '00:80:77:12:34:57'],
    ];
    for (const [host, pool, card] of rows) assert.equal(nameOf(pools, host, card), pool, `${host} ${card}`);
  });

  test('without a file every host is in the default pool', () => {
    const none = createPools('', '');
    assert.deepEqual([nameOf(none, '10.0.0.1'), none.pools.length], ['Default', 1]);
  });

  test('errors say file and line', () => {
    const failure = (text: string, message: string): void => assert.throws(() => createPools(text, 'p'), { message });
    failure('10.0.0.1', 'p:1: no pool before this line; write a heading such as [Servers] first');
    failure('[a', 'p:1: "[a" is no heading; write [name]');
    failure('\n[]', 'p:2: "[]" is no heading; write [name]');
    failure('[default]', 'p:1: "default" is pool 0, of all hosts that are in no other pool; take another name');
    failure(`[${'x'.repeat(65)}]`, 'p:1: the name of a pool has at most 64 characters');
    failure('[a]\n10.0.0.0/33', 'p:2: "10.0.0.0/33" is no network (10.0.0.0/24), address (10.0.0.7) or MAC address (00:80:77:12:34:56)');
    failure('[a]\n10.0.0.0/24\n[b]\n10.0.0.9/24', 'p:4: "10.0.0.9/24" was put into a pool before, at p:2; remove one of the two');
    failure('[a]\n2001:db8::\n2001:DB8::0/128', 'p:3: "2001:DB8::0/128" was put into a pool before, at p:2; remove one of the two');
    failure(
      '[a]\n00:80:77:12:34:56\n[b]\n00-80-77-12-34-56',
      'p:4: "00-80-77-12-34-56" was put into a pool before, at p:2; remove one of the two',
    );
  });
});
