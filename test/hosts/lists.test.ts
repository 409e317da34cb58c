/**
 * Lists from text to look-up: declarations, formats, tables. The tables are held against a slow, obvious reading of the rules:
 * the most specific entry decides, unless an exception for its category covers the same place.
 */
import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CompiledLists, compileLists } from '../../src/hosts/lists/compile.ts';
import { ListError, type ListFormat, parseListOption } from '../../src/hosts/lists/declaration.ts';
import { EMPTY_LISTS, type Lists, openLists } from '../../src/hosts/lists/lookup.ts';
import { type ParsedList, parseList } from '../../src/hosts/lists/parse.ts';
import { parseIPv4, parseIPv6 } from '../../src/hosts/prefixes.ts';

const list = (text: string | Uint8Array, format: ListFormat = 'auto', category = 100): ParsedList =>
  parseList(Buffer.from(text), { name: 'bad', category, format, from: 'bad.txt' });
const open = (...parsed: ParsedList[]): Lists => openLists(compileLists(parsed));
const four = (lists: Lists, address: string): number => lists.category4(parseIPv4(address));
const six = (lists: Lists, address: string): number => lists.category6(parseIPv6(address), 0);

describe('a declaration', () => {
  for (const [text, name, category, format, from] of [
    ['bad.txt', 'bad', 100, 'auto', 'bad.txt'],
    ['/lists/a:b.txt', 'a_b', 100, 'auto', '/lists/a:b.txt'],
    ['mining:/lists/miners', 'miners', 99, 'auto', '/lists/miners'],
    ['Mining:miners', 'miners', 99, 'auto', 'miners'],
    ['101:hosts:./a:b', 'a_b', 101, 'hosts', './a:b'],
    [
      'https://lists.example.org:8443/x/ip.txt?key=1',
      'lists.example.org_x_ip',
      100,
      'auto',
      'https://lists.example.org:8443/x/ip.txt?key=1',
    ],
    ['malware:HTTP://lists.example.org/', 'lists.example.org', 100, 'auto', 'HTTP://lists.example.org/'],
    ['100:ja3_suricata_csv:http://h.example/ja3.csv', 'h.example_ja3', 100, 'ja3_suricata_csv', 'http://h.example/ja3.csv'],
    ['malware:ip:..', 'list', 100, 'ip', '..'],
  ] as const) {
    test(text, () => assert.deepEqual(parseListOption(text), { name, category, format, from }));
  }
  for (const [text, message, hint] of [
    ['malwar:bad.txt', /'malwar' is not a category/, /malware, .*\.\/malwar:bad\.txt/],
    ['256:bad.txt', /'256' is not a category/, /1 to 255/],
    ['0:bad.txt', /'0' is not a category/, /1 to 255/],
    ['constructor:bad.txt', /not a category/, /1 to 255/],
    ['ip:bad', /'ip' is not a category/, /malware:ip:bad/],
    ['malware:csv:bad', /'csv' is not a format/, /ip, domain, hosts, ja3_suricata_csv, auto/],
    ['', /names no file/, /CATEGORY:FORMAT:SOURCE/],
    ['malware:ip:', /names no file/, /CATEGORY:FORMAT:SOURCE/],
    ['ftp://lists.example.org/x', /not read by ftp/, /http or https/],
    ['malware:ip:file:///x', /not read by file/, /the path of a file/],
    ['https://', /not a valid URL/, /^$/],
    ['https://me:secret@lists.example.org/', /password is not supported/, /download/],
  ] as const) {
    test(`'${text}' is refused`, () => {
      assert.throws(
        () => parseListOption(text),
        (error) => {
          assert.ok(error instanceof ListError);
          assert.match(error.message, message);
          assert.match(error.hint, hint);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});

describe('formats', () => {
  test('auto takes addresses, networks, names and hosts lines; what it cannot read is reported with file and line', () => {
    const parsed = list(
      '# comment\n203.0.113.7\n198.51.100.0/24 # a network\nBad.example.org\n127.0.0.1 mine.example.net\nlocalhost\n\nthis is no entry\n!!\n',
    );
    const lists = open(parsed);
    assert.equal(lists.addresses, 2);
    assert.equal(lists.names, 2);
    assert.deepEqual([parsed.entries, parsed.rejected], [4, 2]);
    assert.deepEqual(parsed.rejectedLines, ['bad.txt:8: this is no entry', 'bad.txt:9: !!']);
    assert.equal(lists.categoryOfName('www.BAD.example.org'), 100);
    assert.equal(lists.categoryOfName('mine.example.net.'), 100);
    assert.equal(lists.categoryOfName('notbad.example.org.uk'), 0);
    assert.equal(lists.categoryOfName('xbad.example.org'), 0);
    assert.equal(lists.categoryOfName('example.org'), 0);
    assert.equal(four(lists, '198.51.100.255'), 100);
    assert.equal(four(lists, '198.51.101.0'), 0);
  });

  // what each format makes of each line: entries taken, lines rejected
  for (const [line, ...expected] of [
    ['203.0.113.7', [1, 0], [0, 1], [1, 0], [0, 1]],
    ['2001:db8::/32\r', [1, 0], [0, 1], [1, 0], [0, 1]],
    ['  203.0.113.0/24 ; SBL1', [1, 0], [0, 1], [1, 0], [0, 1]],
    ['bad.example.org # why', [1, 0], [0, 1], [1, 0], [0, 1]],
    ['!good.example.org', [1, 0], [1, 0], [1, 0], [0, 1]],
    ['! good.example.org', [0, 1], [0, 1], [0, 1], [0, 1]],
    ['0.0.0.0 bad.example.org', [0, 1], [1, 0], [1, 0], [0, 1]],
    ['127.0.0.1\t203.0.113.7', [0, 1], [1, 0], [1, 0], [0, 1]],
    ['::1 localhost', [0, 1], [0, 0], [0, 0], [0, 1]],
    ['127.0.0.1 localhost.localdomain', [0, 1], [0, 0], [0, 0], [0, 1]],
    ['127.0.0.1 local', [0, 1], [0, 0], [0, 0], [0, 1]],
    ['0.0.0.0 0.0.0.0', [0, 1], [0, 0], [0, 0], [0, 1]],
    ['127.0.0.1', [0, 0], [0, 1], [0, 0], [0, 1]],
    ['0.0.0.0 a.example b.example', [0, 1], [0, 1], [0, 1], [0, 1]],
    ['E7D705A3286E19EA42F587B344EE6865,2019-01-01 10:00:00,Adware x', [0, 1], [0, 1], [0, 1], [1, 0]],
    ['e7d705a3286e19ea42f587b344ee686,2019', [0, 1], [0, 1], [0, 1], [0, 1]],
    ['e7d705a3286e19ea42f587b344ee68651,2019', [0, 1], [0, 1], [0, 1], [0, 1]],
    ['  # nothing', [0, 0], [0, 0], [0, 0], [0, 0]],
  ] as const) {
    test(line.trim(), () => {
      for (const [i, format] of (['ip', 'hosts', 'auto', 'ja3_suricata_csv'] as const).entries()) {
        const { entries, rejected } = list(`${line}\n`, format);
        assert.deepEqual([entries, rejected], expected[i], format);
      }
      assert.deepEqual(list(line, 'domain').entries, list(line, 'ip').entries, 'domain is ip by another name');
    });
  }

  test('what is no address, network or name', () => {
    for (const text of [
      ...['10.0.0', '10.0.0.0/33', '10.0.0.0/8/9', '10.0.0.0/', '1.2.3.4/-1', '256.1.1.1', '010.1.1.1', '1.2.3.4.5', '1.2.3.4/0x8'],
      ...[
        '::/129',
        '1:2:3:4:5:6:7',
        '1:2:3:4:5:6:7:8::',
        '1::2:',
        ':1::2',
        '12345::',
        '::1.2.3.256',
        '2001:db8::/',
        '1:2:3:4:5:6:7:8:9',
        ':::',
        'g::1',
        '2001:db8::1::2',
        'example.org:80',
      ],
      ...['-a.example', 'a-.example', 'a..example', '.example', 'http://example.org/', '||example.org^', '*.example.org', '.', 'a,b'],
      `${'a.'.repeat(126)}aa`,
    ]) {
      const { entries, rejected } = list(text);
      assert.deepEqual([entries, rejected], [0, 1], text);
    }
    assert.equal(list(`${'a.'.repeat(126)}a`).entries, 1, 'a name of 253 bytes');
  });

  test('addresses as Node reads them', () => {
    const near = fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-f:.]{1,20}$/),
      fc.ipV6().map((text) => text.replace(/:[0-9a-f]+/, ':')),
    );
    fc.assert(
      fc.property(near, (text) => {
        const lists = open(list(text));
        if (['0.0.0.0', '127.0.0.1', '255.255.255.255'].includes(text)) return;
        if (isIPv4(text)) assert.equal(four(lists, text), 100);
        else if (!isIPv6(text)) assert.equal(lists.addresses, 0);
        else if (
          parseIPv6(text)
            .subarray(0, 15)
            .some((byte) => byte !== 0)
        )
          assert.equal(six(lists, text), 100);
      }),
      { numRuns: 500 },
    );
  });

  test('a byte order mark, no line feed at the end, names in UTF-8', () => {
    const lists = open(list('\ufeff203.0.113.7\nb\u00fccher.example'));
    assert.equal(four(lists, '203.0.113.7'), 100);
    assert.equal(lists.categoryOfName(Buffer.from('www.b\u00fccher.example').toString('latin1')), 100, 'as bytes');
    assert.equal(lists.categoryOfName('xn--bcher-kva.example'), 100, 'as DNS writes it');
  });

  test('a rejected line is shown without control characters, and not all of it; ten are kept', () => {
    const { rejected, rejectedLines } = list(`\u001b[2J no entry ${'x'.repeat(500)}\n${'no no no\n'.repeat(50)}`);
    assert.equal(rejected, 51);
    assert.equal(rejectedLines.length, 10);
    assert.match(rejectedLines[0] as string, /^bad\.txt:1: \ufffd\[2J no entry x{1,110}…$/);
  });

  test('random bytes are read without an error', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom<ListFormat[]>('ip', 'domain', 'hosts', 'ja3_suricata_csv', 'auto'),
        (bytes, format) => {
          open(list(bytes, format));
        },
      ),
    );
  });
});

describe('tables', () => {
  test('the longest match wins; of equal ones the first list', () => {
    const lists = open(
      list('10.0.0.0/8\n10.1.2.3\n2001:db8::/32\nexample.org', 'auto', 100),
      list('10.0.0.0/8\n10.1.0.0/16\n10.1.2.3\n2001:db8:1::/48\nads.example.org', 'auto', 101),
    );
    assert.deepEqual(
      ['10.9.9.9', '10.1.9.9', '10.1.2.3', '10.1.2.4', '11.0.0.0', '9.255.255.255'].map((address) => four(lists, address)),
      [100, 101, 100, 101, 0, 0],
    );
    assert.equal(lists.category4(parseIPv4('10.1.2.3') | 0), 100, 'signed numbers are the same addresses');
    assert.deepEqual(
      ['2001:db8:1::5', '2001:db8:2::5', '2001:db9::'].map((address) => six(lists, address)),
      [101, 100, 0],
    );
    assert.deepEqual(
      ['www.example.org', 'x.ads.example.org', 'org', ''].map((name) => lists.categoryOfName(name)),
      [100, 101, 0, 0],
    );
    assert.deepEqual([lists.addresses, lists.names], [5, 2]);
  });

  test('the edges of the number space', () => {
    const lists = open(
      list('0.0.0.0/1\n255.255.255.254/31\n::/8\nffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n2001:db8:0:ffff:ffff:ffff:ffff:ffff'),
    );
    assert.deepEqual(
      ['0.0.0.0', '127.255.255.255', '128.0.0.0', '255.255.255.253', '255.255.255.254', '255.255.255.255'].map((a) => four(lists, a)),
      [100, 100, 0, 0, 100, 100],
    );
    assert.deepEqual(
      ['::', 'ff:ffff::', '100::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'].map((a) =>
        six(lists, a),
      ),
      [100, 100, 0, 0, 100],
    );
    assert.equal(six(lists, '2001:db8:1::'), 0, 'the carry goes through three words');
    assert.equal(four(open(list('0.0.0.0/0')), '255.255.255.255'), 100);
  });

  test('an exception holds for its category and for everything below it', () => {
    const lists = open(
      list('example.org\nevil.good.example.org\n!good.example.org\n10.0.0.0/8\n!10.1.0.0/16\n10.1.2.3\n!1.1.1.1', 'auto', 100),
      list('ads.good.example.org\nexample.net\n10.1.2.0/24', 'auto', 101),
      list('!example.net\n!nowhere.example', 'domain', 101),
    );
    assert.deepEqual(
      ['example.org', 'good.example.org', 'x.evil.good.example.org', 'ads.good.example.org', 'a.example.net', 'nowhere.example'].map(
        (name) => lists.categoryOfName(name),
      ),
      [100, 0, 0, 101, 0, 0],
    );
    assert.deepEqual(
      ['10.0.0.1', '10.1.0.1', '10.1.2.3', '1.1.1.1'].map((address) => four(lists, address)),
      [100, 0, 101, 0],
    );
    assert.deepEqual([lists.addresses, lists.names], [3, 4]);
  });

  test('fingerprints, in any case', () => {
    const lists = open(list('e7d705a3286e19ea42f587b344ee6865,2019,a\nffffffffffffffffffffffffffffffff,2019,b', 'ja3_suricata_csv'));
    assert.ok(lists.hasJa3('e7d705a3286e19ea42f587b344ee6865'));
    assert.ok(lists.hasJa3('E7D705A3286E19EA42F587B344EE6865'));
    assert.ok(lists.hasJa3('f'.repeat(32)));
    for (const no of [
      'e7d705a3286e19ea42f587b344ee6866',
      'e7d705a3286e19ea42f587b344ee686',
      'g7d705a3286e19ea42f587b344ee6865',
      '',
      '0'.repeat(32),
    ]) {
      assert.ok(!lists.hasJa3(no), no);
    }
    assert.equal(lists.ja3, 2);
  });

  test('names of any length', () => {
    const lists = open(list('bad.example'));
    assert.equal(lists.categoryOfName(`${'x'.repeat(5000)}.bad.example`), 100);
    assert.equal(lists.categoryOfName(`${'x'.repeat(5000)}bad.example`), 0);
    assert.equal(lists.categoryOfName('.'.repeat(5000)), 0);
    assert.equal(lists.categoryOfName('..bad.example'), 100);
    const longest = `${'a.'.repeat(126)}a`;
    assert.equal(open(list(longest)).categoryOfName(longest), 100);
    assert.equal(open(list(longest)).categoryOfName(`b.${longest}.`), 100);
    assert.equal(open(list(longest)).categoryOfName(`b${longest}`), 0);
  });

  test('no list, no hit', () => {
    assert.deepEqual(
      [four(EMPTY_LISTS, '0.0.0.0'), six(EMPTY_LISTS, '::'), EMPTY_LISTS.categoryOfName('a'), EMPTY_LISTS.hasJa3('0'.repeat(32))],
      [0, 0, 0, false],
    );
    assert.deepEqual([EMPTY_LISTS.addresses, EMPTY_LISTS.names, EMPTY_LISTS.ja3], [0, 0, 0]);
  });

  test('equal lists give equal tables; a copy for another thread shares their memory', () => {
    const parsed = list('10.0.0.0/8\nexample.org\n2001:db8::1');
    const compiled = compileLists([parsed], 7);
    const bytes = (of: CompiledLists): unknown =>
      JSON.stringify(of, (_, value) => (value instanceof SharedArrayBuffer ? [...new Uint8Array(value)] : value));
    assert.equal(bytes(compileLists([parsed], 7)), bytes(compiled));
    const copy = structuredClone(compiled);
    assert.deepEqual(copy.lists, [{ name: 'bad', category: 100, entries: 3, rejected: 0 }]);
    new Uint8Array(compiled.ipv4.categories).fill(99);
    assert.equal(four(openLists(copy), '10.1.1.1'), 99);
  });
});

/** One entry: category, exception, and a place: bits of an address, or labels of a name from the right. */
interface Rule {
  readonly place: string;
  readonly category: number;
  readonly exception: boolean;
}

/** The rules as docs/guides/lists.md states them. `covers` says whether an entry's place covers what is asked. */
function slow(rules: readonly Rule[], covers: (place: string) => boolean): number {
  const covering = rules.filter((rule) => covers(rule.place));
  const allowed = covering.filter((rule) => rule.exception).map((rule) => rule.category);
  const listed = covering.filter((rule) => !rule.exception && !allowed.includes(rule.category));
  let best: Rule | undefined;
  for (const rule of listed) if (best === undefined || rule.place.length > best.place.length) best = rule;
  return best?.category ?? 0;
}

describe('tables agree with a slow reading of the rules', () => {
  /** Lists of three categories, with what each says as text. */
  const listsOf = <T>(place: fc.Arbitrary<T>) =>
    fc.array(
      fc.record({
        category: fc.constantFrom(99, 100, 101),
        entries: fc.array(
          fc.tuple(
            place,
            fc.nat(4).map((n) => n === 0),
          ),
          { maxLength: 8 },
        ),
      }),
      {
        maxLength: 4,
      },
    );
  const compileRules = (lists: { category: number; entries: [{ text: string; place: string }, boolean][] }[]) => ({
    rules: lists.flatMap(({ category, entries }) => entries.map(([{ place }, exception]): Rule => ({ place, category, exception }))),
    opened: open(
      ...lists.map(({ category, entries }) =>
        list(entries.map(([{ text }, exception]) => (exception ? '!' : '') + text).join('\n'), 'auto', category),
      ),
    ),
  });
  const bitsOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  // few different bytes, so that networks lie in each other and side by side
  const byte = fc.constantFrom(0, 1, 2, 3, 127, 128, 254, 255);

  for (const [family, size] of [
    ['IPv4', 4],
    ['IPv6', 16],
  ] as const) {
    const address = fc.array(byte, { minLength: size, maxLength: size }).map((bytes) => Uint8Array.from(bytes));
    const text = (bytes: Uint8Array): string =>
      size === 4
        ? bytes.join('.')
        : Array.from({ length: 8 }, (_, i) => (((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number)).toString(16)).join(':');
    const own = /^(0\.0\.0\.0|127\.0\.0\.1|255\.255\.255\.255|(0:){7}[01])$/;
    const network = fc
      .tuple(address, fc.oneof(fc.integer({ min: 0, max: size * 8 }), fc.constantFrom(size * 8 - 1, size * 8)))
      .filter(([bytes, length]) => length < size * 8 || !own.test(text(bytes)))
      .map(([bytes, length]) => ({ text: `${text(bytes)}/${length}`, place: bitsOf(bytes).slice(0, length) }));
    test(family, () => {
      fc.assert(
        fc.property(listsOf(network), fc.array(address, { minLength: 1, maxLength: 10 }), (lists, asked) => {
          const { rules, opened } = compileRules(lists);
          // every entry's first address, the one before it and the one behind it
          const edges = rules.flatMap(({ place }) => {
            const first = BigInt(`0b${place.padEnd(size * 8, '0')}`);
            const last = BigInt(`0b${place.padEnd(size * 8, '1')}`);
            return [first, first - 1n, last, last + 1n]
              .filter((number) => number >= 0n && number < 1n << BigInt(size * 8))
              .map((number) => Uint8Array.from({ length: size }, (_, i) => Number((number >> BigInt((size - 1 - i) * 8)) & 255n)));
          });
          for (const bytes of [...asked, ...edges]) {
            const bits = bitsOf(bytes);
            const answer =
              size === 4 ? opened.category4(Buffer.from(bytes).readInt32BE()) : opened.category6(Uint8Array.of(9, ...bytes), 1);
            assert.equal(
              answer,
              slow(rules, (place) => bits.startsWith(place)),
              text(bytes),
            );
          }
          assert.equal(opened.addresses, new Set(rules.filter((rule) => !rule.exception).map((rule) => rule.place)).size);
        }),
        { numRuns: 500 },
      );
    });
  }

  test('host names', () => {
    const label = fc.constantFrom('a', 'b', 'ab', 'a-b', '_x');
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
    const entry = fc.tuple(name, fc.constantFrom('', '.')).map(([text, dot]) => ({ text: text.toUpperCase() + dot, place: text }));
    fc.assert(
      fc.property(listsOf(entry), fc.array(name, { minLength: 1, maxLength: 10 }), (lists, asked) => {
        const { rules, opened } = compileRules(lists);
        for (const one of [...asked, ...rules.flatMap(({ place }) => [place, `a.${place}`, `a${place}`, place.slice(1)])]) {
          const answer = opened.categoryOfName(one);
          const expected = slow(rules, (place) => one === place || one.endsWith(`.${place}`));
          assert.equal(answer, expected, one);
          assert.equal(opened.categoryOfName(`${one.toUpperCase()}.`), expected, one);
        }
        assert.equal(opened.names, new Set(rules.filter((rule) => !rule.exception).map((rule) => rule.place)).size);
      }),
      { numRuns: 500 },
    );
  });

  test('many names, whatever the seed', () => {
    const names = Array.from({ length: 3000 }, (_, i) => `n${i * 7919}.example`);
    for (const seed of [0, 1, -1, 0x7fffffff]) {
      const lists = openLists(compileLists([list(names.join('\n'))], seed));
      assert.equal(lists.names, 3000);
      for (const name of names) assert.deepEqual([lists.categoryOfName(name), lists.categoryOfName(`x${name}`)], [100, 0], name);
    }
  });
});
