/** Places and autonomous systems: the data of the packages, the user's MMDB and CSV files, files that are broken. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { checkGeoFiles, createGeo, NO_NETWORK, NOWHERE, type Place, readGeo } from '../../src/hosts/geo.ts';
import { readRanges } from '../../src/hosts/geo-csv.ts';
import { mmdbFile } from './mmdb.ts';

const folder = mkdtempSync(join(tmpdir(), 'geo-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, content);
  return path;
}
const country = (code: string): Place => ({ country: code, city: '', latitude: 0, longitude: 0 });

describe('data of the packages', () => {
  const geo = createGeo({ files: [] });

  test('countries and autonomous systems of both families', () => {
    assert.equal(geo.place('8.8.8.8').country, 'US');
    assert.equal(geo.place('2001:4860:4860::8888').country, 'US');
    assert.deepEqual(geo.network('8.8.8.8'), { asn: 15169, asName: 'Google LLC' });
    assert.deepEqual(geo.network('2001:4860:4860::8888'), { asn: 15169, asName: 'Google LLC' });
    assert.deepEqual(geo.network('1.1.1.1'), { asn: 13335, asName: 'Cloudflare, Inc.' });
    assert.equal(geo.broken, 0);
  });

  test('private, special and wrong addresses give nothing', () => {
    for (const address of [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.16.0.1', '192.168.1.1', '224.0.0.1', '255.255.255.255'],
      ...['::', '::1', 'fe80::1', 'fd00::1', 'ff02::1', '2001:db8::1', '::ffff:10.0.0.1', 'example.org', ''],
    ]) {
      assert.deepEqual(geo.place(address), NOWHERE, address);
      assert.deepEqual(geo.network(address), NO_NETWORK, address);
    }
  });

  test('IPv4 inside IPv6: mapped, and behind NAT64', () => {
    assert.equal(geo.network('::ffff:1.1.1.1').asn, 13335);
    assert.equal(geo.network('0:0:0:0:0:ffff:101:101').asn, 13335);
    assert.equal(geo.network('64:ff9b::1.1.1.1').asn, 13335);
  });

  test('switched off', () => {
    const off = createGeo({ files: [], off: true });
    assert.deepEqual([off.place('8.8.8.8'), off.network('8.8.8.8')], [NOWHERE, NO_NETWORK]);
  });
});

describe('files that were read for another thread', () => {
  test('they need no file any more; one that could not be read is counted', () => {
    const asn = file('5.0.0.0,5.0.0.255,7,"Räksmörgås, AB"\n');
    const city = file(mmdbFile({ type: 'GeoLite2-City', ipVersion: 4, networks: { '5.0.0.0/8': { country: { iso_code: 'DE' } } } }));
    const ready = readGeo({ files: [asn, city] });
    for (const path of [asn, city]) unlinkSync(path);
    const geo = createGeo({ files: [asn, city], ready });
    assert.equal(geo.place('5.0.0.1').country, 'DE');
    assert.deepEqual(geo.network('5.0.0.1'), { asn: 7, asName: Buffer.from('Räksmörgås, AB').toString('latin1') });
    const gone = createGeo({ files: [], ready: readGeo({ files: [asn] }) });
    assert.deepEqual([gone.place('5.0.0.1'), gone.network('5.0.0.1'), gone.broken], [NOWHERE, NO_NETWORK, 1]);
  });
});

describe('MMDB files of the user', () => {
  const city = file(
    mmdbFile({
      type: 'GeoLite2-City',
      ipVersion: 6,
      networks: {
        '5.6.0.0/16': {
          country: { iso_code: 'DE' },
          city: { names: { en: 'Köln', fr: 'Cologne' } },
          location: { latitude: 50.9, longitude: 6.9 },
        },
        '5.7.0.0/16': { registered_country: { iso_code: 'FR' } },
        '2a00::/16': { country: { iso_code: 'NL' } },
      },
    }),
  );
  const asn = file(
    mmdbFile({
      type: 'GeoLite2-ASN',
      ipVersion: 4,
      networks: { '5.6.7.0/24': { autonomous_system_number: 64500, autonomous_system_organization: 'Example' } },
    }),
  );

  test('city, country, coordinates; text in Latin-1 form', () => {
    checkGeoFiles([city, asn]);
    const geo = createGeo({ files: [city] });
    assert.deepEqual(geo.place('5.6.7.8'), { country: 'DE', city: 'K\xc3\xb6ln', latitude: 50.9, longitude: 6.9 });
    assert.deepEqual(geo.place('5.7.7.8'), country('FR'));
    assert.deepEqual(geo.place('2a00::1'), country('NL'));
    assert.deepEqual(geo.place('8.8.8.8'), NOWHERE, "the user's file replaces the package's");
    assert.equal(geo.network('8.8.8.8').asn, 15169, 'autonomous systems are still those of the package');
  });

  test('autonomous systems in a file for IPv4 alone', () => {
    const geo = createGeo({ files: [asn, city] });
    assert.deepEqual(geo.network('5.6.7.8'), { asn: 64500, asName: 'Example' });
    assert.deepEqual(geo.network('5.6.8.8'), NO_NETWORK);
    assert.deepEqual(geo.network('2a00::1'), NO_NETWORK);
    assert.equal(geo.place('5.6.8.8').country, 'DE');
  });

  test('flat records with everything in one file', () => {
    const all = file(
      mmdbFile({
        type: 'ipinfo generic_lite_free.mmdb',
        ipVersion: 6,
        networks: {
          '9.0.0.0/8': { country: 'United States', country_code: 'US', asn: 'AS65001', as_name: 'One', latitude: '1.5', longitude: '-2.5' },
        },
      }),
    );
    const geo = createGeo({ files: [all] });
    assert.deepEqual(geo.place('9.1.1.1'), { country: 'US', city: '', latitude: 1.5, longitude: -2.5 });
    assert.deepEqual(geo.network('9.1.1.1'), { asn: 65001, asName: 'One' });
  });

  test('the first file that knows a fact speaks for it', () => {
    const rough = file('5.0.0.0,5.255.255.255,GB\n6.0.0.0,6.255.255.255,CA\n');
    const geo = createGeo({ files: [rough, city] });
    assert.deepEqual(geo.place('5.6.7.8'), { country: 'GB', city: 'K\xc3\xb6ln', latitude: 50.9, longitude: 6.9 });
    assert.deepEqual(geo.place('6.6.7.8'), country('CA'));
  });

  test('damaged inside: counted, not thrown', () => {
    const bytes = mmdbFile({ type: 'country', ipVersion: 4, networks: { '5.0.0.0/8': { country_code: 'DE' } } });
    bytes.fill(0xfe, 0, 60);
    const geo = createGeo({ files: [file(bytes)] });
    assert.deepEqual(geo.place('5.1.1.1'), NOWHERE);
    assert.equal(geo.broken, 1);
  });
});

describe('CSV files of the user', () => {
  const places = (text: string, ...addresses: string[]): Place[] => {
    const path = file(text);
    checkGeoFiles([path]);
    const geo = createGeo({ files: [path] });
    return addresses.map(geo.place);
  };

  test('country: both families, quotes, CRLF, byte order mark, comments, no final line end', () => {
    const text =
      '\ufeff# a comment\r\n"5.0.0.0","5.0.0.255","AU"\r\n\r\n5.0.2.0,5.0.3.255,cn\r\n2a00::,2a00:0:ffff:ffff:ffff:ffff:ffff:ffff,NL';
    assert.deepEqual(
      places(text, '5.0.0.0', '5.0.0.255', '5.0.1.0', '5.0.2.9', '4.255.255.255', '2a00::5', '2a00:1::').map((place) => place.country),
      ['AU', 'AU', '', 'CN', '', 'NL', ''],
    );
  });

  test('autonomous systems, with commas and quotes in names', () => {
    const geo = createGeo({ files: [file('5.0.0.0,5.0.0.255,AS13335,"Cloud ""Flare"", Inc."\n5.0.1.0,5.0.1.255,7\n')] });
    assert.deepEqual(geo.network('5.0.0.1'), { asn: 13335, asName: 'Cloud "Flare", Inc.' });
    assert.deepEqual(geo.network('5.0.1.1'), { asn: 7, asName: '' });
  });

  test('cities: 8 columns, 10 columns, a line of names', () => {
    const here = { country: 'AU', city: 'Brisbane', latitude: -27.5, longitude: 153.01 };
    assert.deepEqual(places('5.0.0.0,5.0.0.255,OC,AU,Queensland,Brisbane,-27.5,153.01\n', '5.0.0.1'), [here]);
    assert.deepEqual(places('5.0.0.0,5.0.0.255,AU,Queensland,,Brisbane,4000,-27.5,153.01,Australia/Brisbane\n', '5.0.0.1'), [here]);
    assert.deepEqual(places('start_ip,end_ip,lat,lon,city,country\n5.0.0.0,5.0.0.255,-27.5,153.01,Brisbane,AU\n', '5.0.0.1'), [here]);
  });

  test('lines out of order', () => {
    assert.deepEqual(places('9.0.0.0,9.0.0.9,NL\n5.0.0.0,5.0.0.9,DE\n', '5.0.0.1', '9.0.0.9'), [country('DE'), country('NL')]);
  });

  test('rows that change after the check are counted', () => {
    const path = file('5.0.0.0,5.0.0.9,DE\nrubbish\n5.0.1.0,5.0.0.0,DE\n5.0.2.0,5.0.2.9,FR\n');
    const geo = createGeo({ files: [path] });
    assert.deepEqual([geo.place('5.0.0.1'), geo.place('5.0.2.1'), geo.broken], [country('DE'), country('FR'), 2]);
  });

  test('a file that is gone after the start: counted, and the run goes on', () => {
    const path = file('5.0.0.0,5.0.0.9,DE\n');
    const geo = createGeo({ files: [path] });
    unlinkSync(path);
    assert.deepEqual([geo.place('5.0.0.1'), geo.place('5.0.0.2'), geo.broken], [NOWHERE, NOWHERE, 1]);
  });

  test('any ranges: the same as a search one by one', () => {
    const word = fc.integer({ min: 1, max: 2 ** 31 });
    const dotted = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.');
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 2, maxLength: 40 }), fc.array(word), (bounds, asked) => {
        const points = bounds.toSorted((a, b) => a - b);
        const ranges = Array.from({ length: points.length >> 1 }, (_, i) => [points[2 * i] as number, points[2 * i + 1] as number, i + 1]);
        const text = ranges.map(([first, last, asn]) => `${dotted(first as number)},${dotted(last as number)},${asn}`).join('\n');
        const { network4 } = readRanges(Buffer.from(text), 'ranges', true);
        for (const address of [...asked, ...points, ...points.map((point) => point + 1)]) {
          const expected = ranges.find(([first, last]) => (first as number) <= address && address <= (last as number))?.[2];
          assert.equal(network4(address)?.asn, expected);
        }
      }),
    );
  });

  test('any IPv6 text', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (parts) => {
        const whole = parts.map((part) => part.toString(16)).join(':');
        const short = new URL(`http://[${whole}]/`).hostname.slice(1, -1);
        const words = Uint32Array.from({ length: 4 }, (_, i) => ((parts[2 * i] as number) << 16) | (parts[2 * i + 1] as number));
        for (const text of [whole, short, short.toUpperCase()]) {
          const { network6 } = readRanges(Buffer.from(`${text},${text},5`), 'ranges', true);
          assert.equal(network6(words)?.asn, 5, text);
          const next = words.slice();
          next[3] = ((next[3] as number) ^ 1) >>> 0;
          assert.equal(network6(next), undefined);
        }
      }),
    );
    for (const wrong of ['1:2:3', '1::2::3', ':::', '1:2:3:4:5:6:7:8:9', '12345::', ':1::', '1:', '::g']) {
      assert.throws(() => readRanges(Buffer.from(`5::,5::1,5\n${wrong},5::,5`), 'ranges', true), /ranges:2: no address/, wrong);
    }
  });
});

describe('files that cannot be used', () => {
  const failure = (content: string | Uint8Array, what: RegExp): void => {
    const path = file(content);
    assert.throws(
      () => checkGeoFiles([path]),
      (error: Error) => what.test(error.message) && error.message.includes(path),
    );
  };

  test('say what is wrong, where, and what to do', () => {
    failure('', /is empty/);
    failure('hello\nworld\n', /neither an MMDB file .* nor CSV/);
    failure(Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed; unpack it with gunzip/);
    failure('PK\x03\x04', /ZIP archive; unpack it/);
    failure('16777216,16777471,AU\n', /neither an MMDB file/);
    failure('5.0.0.0,5.0.0.9,a,b,c\n', /:1: unknown columns/);
    failure('a,b,c\n5.0.0.0,5.0.0.9,AU\n', /:1: unknown columns/);
    failure('5.0.0.0,5.0.0.9,AU\n5.0.0.10,5.0.0.300,AU\n', /:2: the second address does not end the range/);
    failure('5.0.0.0,5.0.0.9,AU\n5.0.1.0,5.0.1.9,Australia\n', /:2: no country code/);
    failure('5.0.0.0,5.0.0.9,5\n5.0.1.0,5.0.1.9,x\n', /:2: no AS number/);
    const mmdb = mmdbFile({ type: 'GeoIP2-Anonymous-IP', ipVersion: 4, networks: { '5.0.0.0/8': {} } });
    failure(mmdb, /type "GeoIP2-Anonymous-IP", which has neither countries, cities nor autonomous systems/);
    failure(mmdb.subarray(0, mmdb.length - 60), /damaged MMDB file: .* Get it again/);
    failure(mmdb.subarray(0, mmdb.lastIndexOf(0xab)), /neither an MMDB file \(or one that was cut off\)/);
    failure(mmdb.subarray(mmdb.lastIndexOf(0xab)), /damaged MMDB file: its front is missing/);
    assert.throws(() => createGeo({ files: [join(folder, 'none')] }), /ENOENT/);
  });
});
