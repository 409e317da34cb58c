/** Flows as a table: what fits, what is cut, how values are written. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FlowRow, Json } from '../../src/api/rows.ts';
import { CommandError } from '../../src/cli/errors.ts';
import {
  cellText,
  columnsThatFit,
  fieldsOf,
  filterError,
  headerLine,
  layout,
  rowLine,
  sortFieldOf,
  tabSeparated,
  usualFields,
} from '../../src/cli/flow-table.ts';
import { cellsOf, fit } from '../../src/cli/format.ts';
import { FilterError, parseFilter } from '../../src/filter/filter.ts';
import { FIELDS, fieldByKey } from '../../src/flows/fields.ts';

const ROW: FlowRow = {
  ...{
    interface: 'eth0',
    'cli.ip': '192.168.1.20',
    'cli.port': 51514,
    'srv.ip': '203.0.113.7',
    'srv.port': 443,
    'proto.ndpi': 'TLS.Google',
  },
  ...{
    bytes: 1_234_567,
    throughput_bps: 125_000,
    duration: 90,
    info: 'www.example.org',
    packets: 1234,
    'proto.l4': 'TCP',
    'flow.status': 10,
  },
  ...{ 'seen.last': 1_569_859_251, 'cli.host': '', 'srv.host': 'www.example.org' },
};

const cell = (key: string, value: Json | undefined): string => cellText(fieldByKey.get(key) as (typeof FIELDS)[number], value);

test('values by their units', () => {
  assert.equal(cell('bytes', 1_234_567), '1.23 MB');
  assert.equal(cell('packets', 1_234_567), '1,234,567');
  assert.equal(cell('throughput_bps', 125_000), '1.00 Mbit/s'); // the field is in bytes
  assert.equal(cell('tcp.max_thpt.cli2srv', 125_000), '125 kbit/s');
  assert.equal(cell('throughput_pps', 12_345), '12.3k/s');
  assert.equal(cell('duration', 9), '9 s');
  assert.equal(cell('duration', 90), '1 min 30 s');
  assert.equal(cell('seen.last', 1_569_859_251), '2019-09-30 16:00:51');
  assert.equal(cell('seen.last', 0), '');
  assert.equal(cell('seen.last', 1e18), '');
  assert.equal(cell('tcp.appl_latency', 12.345), '12.3 ms');
  assert.equal(cell('cli.port', 51_514), '51514');
  assert.equal(cell('flow.status', 0), '');
  assert.equal(cell('flow.status', 13), 'Blacklisted');
  assert.equal(cell('score', -1), '');
  assert.equal(cell('cli.localhost', true), 'yes');
  assert.equal(cell('info', undefined), '');
  assert.equal(cell('info', 'a\u001b[31m\nb\u202ec'), 'a?[31m?b?c');
  assert.equal(cell('icmp', { type: 8, code: 0 }), '{"type":8,"code":0}');
});

test('every field can be shown, sorted or refused, whatever its value', () => {
  for (const field of FIELDS) {
    const [column] = fieldsOf([field.key]);
    assert.ok(column !== undefined && column.width >= cellsOf(column.title), field.key);
    if (field.type === 'table') assert.throws(() => sortFieldOf(field.key), CommandError);
    else assert.equal(sortFieldOf(field.key.toUpperCase()), field);
    for (const value of [-1, 0, 1.5, 2 ** 53, 'text', true, {}]) assert.equal(typeof cellText(field, value), 'string');
  }
});

describe('width', () => {
  const at = (width: number, rows: readonly FlowRow[] = [ROW]): string[] => {
    const of = layout(columnsThatFit(usualFields(true), width), rows, width, true);
    return [headerLine(of), ...rows.map((row) => rowLine(of, row))];
  };

  test('80 columns have who, what, how much and how fast', () => {
    assert.deepEqual(at(80), [
      'Client           Port Server           Port Protocol           Bytes       Speed',
      '192.168.1.20    51514 203.0.113.7       443 TLS.Google       1.23 MB 1.00 Mbit/s',
    ]);
  });

  test('no line is wider than the terminal, however narrow or wide', () => {
    const long: FlowRow = {
      ...ROW,
      'cli.ip': '2001:db8:1111:2222:3333:4444:5555:6666',
      info: '漢字'.repeat(50),
      'proto.ndpi': 'x'.repeat(60),
    };
    for (const width of [20, 40, 60, 80, 100, 132, 200, 300, 500]) {
      for (const line of at(width, [ROW, long])) assert.ok(cellsOf(line) <= width, `${width}: ${line}`);
    }
    assert.ok(at(500, [long])[1]?.includes('2001:db8:1111:2222:3333:4444:5555:6666'), 'what is cut gets the room that is left');
  });

  test('columns that are chosen are all there, as narrow as need be', () => {
    const chosen = fieldsOf(['client', 'server', 'info', 'bytes', 'Duration']);
    const of = layout(chosen, [ROW], 44);
    assert.deepEqual(
      of.fields.map(({ field }) => field.key),
      ['cli.ip', 'srv.ip', 'info', 'bytes', 'duration'],
    );
    assert.equal(rowLine(of, ROW), '192.16… 203.0.1… www.exa… 1.23 MB 1 min 30 s');
    const wide = layout(chosen, [ROW], Number.POSITIVE_INFINITY);
    assert.equal(rowLine(wide, ROW), '192.168.1.20 203.0.113.7 www.example.org 1.23 MB 1 min 30 s');
  });
});

test('for other programs: keys, plain values, nothing that breaks a line', () => {
  const fields = fieldsOf(['client', 'bytes', 'throughput', 'info', 'icmp', 'cli.localhost']);
  assert.deepEqual(tabSeparated(fields, [{ ...ROW, info: 'a\tb\nc', icmp: { type: 8, code: 0 } }]), [
    'cli.ip\tbytes\tthroughput_bps\tinfo\ticmp\tcli.localhost',
    '192.168.1.20\t1234567\t125000\ta b c\t{"type":8,"code":0}\t',
  ]);
});

test('a filter that is wrong is shown with a sign below the place', () => {
  const filter = 'ip == 1.2.3.4 and (';
  try {
    parseFilter(filter);
    assert.fail('it was taken');
  } catch (error) {
    assert.ok(error instanceof FilterError);
    const { message, hint, exitCode } = filterError(filter, error);
    assert.equal(exitCode, 2);
    assert.match(message, /^--filter: /);
    const [shown, signs] = hint.split('\n');
    assert.equal(shown, filter);
    assert.match(signs as string, /^ *\^+$/);
  }
});

test('unknown names of fields', () => {
  assert.throws(() => fieldsOf(['bytes', 'byte']), { message: "--columns: there is no field 'byte'", hint: 'did you mean bytes?' });
  assert.throws(() => sortFieldOf('xyzzy'), { hint: 'docs/reference/flow-info.md lists the fields' });
});

test('cells of a terminal', () => {
  assert.deepEqual(['abc', 'é', 'e\u0301', '漢字', '🙂', ''].map(cellsOf), [3, 1, 1, 4, 2, 0]);
  assert.deepEqual(
    [fit('漢字漢', 4), fit('漢字漢', 5), fit('ab', 4, true), fit('abc', 3), fit('abc', 0)],
    ['漢… ', '漢字…', '  ab', 'abc', ''],
  );
});
