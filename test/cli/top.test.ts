/** `flowpatrol top`: keys and answers as a state, the state as lines, and the program in a terminal. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FlowList, FlowRow } from '../../src/api/rows.ts';
import type { Status } from '../../src/api/status.ts';
import { fieldsOf, usualFields } from '../../src/cli/flow-table.ts';
import { cellsOf } from '../../src/cli/format.ts';
import { render } from '../../src/cli/top/render.ts';
import {
  answered,
  detailed,
  type Effect,
  filterAccepted,
  filterRefused,
  initialState,
  type Key,
  press,
  resized,
  rowsShown,
  selectedRow,
  type TopState,
  unanswered,
} from '../../src/cli/top/state.ts';
import { FIELDS } from '../../src/flows/fields.ts';

const row = (id: number, more: Partial<FlowRow> = {}): FlowRow =>
  ({
    ...{ interface: 'eth0', 'flow.id': `r-0-${id}`, 'cli.ip': '192.168.1.20', 'cli.port': 40_000 + id, 'srv.ip': '203.0.113.7' },
    ...{ 'srv.port': 443, 'proto.ndpi': 'TLS', bytes: 1000 * id, throughput_bps: 125, ...more },
  }) as FlowRow;

const list = (...rows: FlowRow[]): FlowList => ({ matched: rows.length, total: 1234, packets: 9, bytes: 9, interfaces: [], flows: rows });

const status = (uptime: number, packets: number, losses = 0): Status => ({
  version: '1.2.3',
  started: '2024-01-01T00:00:00.000Z',
  uptime,
  interfaces: [
    {
      ...{ id: 0, name: 'eth0', kind: 'packet', state: 'running', clock: 1, packets, bytes: packets * 100, flows: 20, activeFlows: 10 },
      ...{ alerts: 3, losses },
    },
  ],
  losses: [],
});

const start = (more: Partial<TopState> = {}): TopState => ({
  ...initialState({
    ...{ columns: 80, rows: 12, fields: usualFields(true), chosen: false },
    query: { filter: '', sort: 'bytes', descending: true, limit: 100 },
  }),
  ...more,
});

const many = (length: number): FlowRow[] => Array.from({ length }, (_, i) => row(length - i));
const filled = (length = 20): TopState => answered(start(), status(10, 0), list(...many(length)));

const SPECIAL: Readonly<Record<string, Key>> = {
  '\r': { name: 'return', sequence: '\r' },
  ' ': { name: 'space', sequence: ' ' },
  '/': { sequence: '/' },
  '<': { sequence: '<' },
  '>': { sequence: '>' },
};

/** Keys one after another: characters, or names in angle brackets. */
function type(state: TopState, ...keys: string[]): { state: TopState; effects: Effect[] } {
  const effects: Effect[] = [];
  for (const key of keys) {
    const next = press(state, key.length > 1 ? { name: key, sequence: '\u001b[' } : (SPECIAL[key] ?? { name: key, sequence: key }));
    state = next.state;
    if (next.effect !== 'nothing') effects.push(next.effect);
  }
  return { state, effects };
}

describe('keys', () => {
  test('moving stays within the list and scrolls', () => {
    const shown = rowsShown(filled());
    assert.equal(shown, 7);
    assert.equal(type(filled(), 'up').state.selected, 0);
    assert.equal(type(filled(), 'j', 'down', 'k').state.selected, 1);
    const paged = type(filled(), 'pagedown').state;
    assert.deepEqual([paged.selected, paged.first], [7, 1]);
    const last = type(filled(), 'G', 'down').state;
    assert.deepEqual([last.selected, last.first], [19, 13]);
    assert.deepEqual(type(last, 'home').state.first, 0);
    assert.equal(type(answered(start(), status(1, 0), list()), 'down', '\r').state.mode, 'table');
  });

  test('the column that sorts goes round those that are seen; r turns the order', () => {
    const seen = ['throughput_bps', 'cli.ip', 'cli.port', 'srv.ip', 'srv.port', 'proto.ndpi', 'bytes'];
    let state = filled();
    for (const key of seen) {
      const next = type(state, '>');
      assert.deepEqual([next.state.query.sort, next.effects], [key, ['ask']]);
      state = next.state;
    }
    assert.equal(type(filled(), '<').state.query.sort, 'proto.ndpi');
    assert.equal(type(filled(), 's').state.query.sort, 'throughput_bps');
    assert.equal(type(filled(), 'r').state.query.descending, false);
    const elsewhere = { ...filled(), query: { ...filled().query, sort: 'vlan' } };
    assert.equal(type(elsewhere, '>').state.query.sort, 'cli.ip');
  });

  test('pausing freezes until it is taken back', () => {
    const paused = type(filled(), 'p');
    assert.deepEqual([paused.state.paused, paused.effects], [true, []]);
    const on = type(paused.state, ' ');
    assert.deepEqual([on.state.paused, on.effects], [false, ['ask']]);
  });

  test('q and Ctrl-C end it, q in the filter is a letter', () => {
    assert.deepEqual(type(filled(), 'q').effects, ['quit']);
    const writing = type(filled(), '/', 'q');
    assert.deepEqual([writing.state.draft, writing.effects], ['q', []]);
    assert.equal(press(writing.state, { name: 'c', ctrl: true, sequence: '\u0003' }).effect, 'quit');
  });
});

describe('the filter', () => {
  test('is edited in place', () => {
    const state = type(filled(), '/', ...'port == 53').state;
    assert.deepEqual([state.mode, state.draft, state.cursor], ['filter', 'port == 53', 10]);
    assert.equal(type(state, 'backspace', '4').state.draft, 'port == 54');
    assert.equal(type(state, 'left', 'left', 'x', 'delete').state.draft, 'port == x3');
    assert.equal(type(state, 'home', 'backspace', 'delete', 'end', '!').state.draft, 'ort == 53!');
    assert.equal(press(state, { name: 'u', ctrl: true, sequence: '\u0015' }).state.draft, '');
    assert.equal(press(state, { sequence: 'é' }).state.draft, 'port == 53é');
    assert.equal(press(state, { name: 'x', meta: true, sequence: '\u001bx' }).state.draft, 'port == 53');
    assert.deepEqual(type(state, '\r').effects, ['try filter']);
  });

  test('that is taken replaces the old one; one that is not leaves it, and says why', () => {
    const old = { ...filled(), query: { ...filled().query, filter: 'port == 80' } };
    const writing = type(old, '/', ' ', 'a').state;
    assert.equal(writing.draft, 'port == 80 a');
    const refused = filterRefused(writing, { message: 'No.', hint: 'do this', position: 11, length: 1 });
    assert.deepEqual([refused.mode, refused.query.filter, refused.draft], ['filter', 'port == 80', 'port == 80 a']);
    const lines = render(refused).lines.map(({ text }) => text);
    assert.deepEqual(lines.slice(2, 5), ['Filter: port == 80 a', '                   ^', 'No. do this']);
    assert.equal(lines.length, 12);
    const left = type(refused, 'escape').state;
    assert.deepEqual([left.mode, left.query.filter, left.mistake], ['table', 'port == 80', undefined]);
    const taken = filterAccepted(writing, 'port == 53', status(12, 0), list(row(1)));
    assert.deepEqual([taken.mode, taken.query.filter, taken.mistake, taken.list?.flows.length], ['table', 'port == 53', undefined, 1]);
  });
});

describe('answers', () => {
  test('the selection stays on its flow while others come and go', () => {
    const on3 = type(filled(5), 'down', 'down').state;
    assert.equal(selectedRow(on3)?.['flow.id'], 'r-0-3');
    const later = answered(on3, status(12, 0), list(row(9), row(8), row(7), row(3), row(1)));
    assert.deepEqual([later.selected, selectedRow(later)?.['flow.id']], [3, 'r-0-3']);
    const gone = answered(later, status(14, 0), list(row(9)));
    assert.equal(selectedRow(gone)?.['flow.id'], 'r-0-9');
  });

  test('rates are between two answers; a new run begins anew', () => {
    const one = answered(start(), status(10, 1000), list());
    assert.deepEqual(one.rates, { packets: 0, bytes: 0 });
    const two = answered(one, status(12, 3000), list());
    assert.deepEqual(two.rates, { packets: 1000, bytes: 100_000 });
    assert.deepEqual(answered(two, status(1, 5), list()).rates, { packets: 0, bytes: 0 });
  });

  test('where nobody answers the rows stay, and it is said', () => {
    const state = unanswered(filled(), 'no flowpatrol runs with data');
    const [first] = render(state).lines;
    assert.deepEqual(first, { text: 'no flowpatrol runs with data', style: 'error' });
    assert.equal(state.list?.flows.length, 20);
    assert.equal(answered(state, status(1, 1), list()).trouble, '');
  });
});

describe('drawing', () => {
  test('80 columns', () => {
    const state = type(answered(answered(start(), status(10, 0), list()), status(12, 2500, 7), list(...many(3))), 'down').state;
    const { lines, cursor } = render(state);
    assert.equal(cursor, undefined);
    assert.deepEqual(
      lines.map(({ text }) => text),
      [
        'flowpatrol 1.2.3  up 0:12  eth0',
        'flows 10  1.25k pkt/s  1.00 Mbit/s  alerts 3  losses 7',
        '3 of 1,234 flows  no filter',
        'Client           Port Server           Port Protocol          Bytes▼       Speed',
        '192.168.1.20    40003 203.0.113.7       443 TLS              3.00 kB 1.00 kbit/s',
        '192.168.1.20    40002 203.0.113.7       443 TLS              2.00 kB 1.00 kbit/s',
        '192.168.1.20    40001 203.0.113.7       443 TLS              1.00 kB 1.00 kbit/s',
        ...['', '', '', ''],
        '↑↓ move  <> sort  r turn  / filter  p pause  Enter details  q quit',
      ],
    );
    assert.deepEqual(
      lines.map(({ style }) => style),
      ['plain', 'error', 'dim', 'title', 'plain', 'selected', 'plain', 'plain', 'plain', 'plain', 'plain', 'dim'],
    );
  });

  test('exactly as many lines as the terminal has, none wider, whatever it shows', () => {
    const states: TopState[] = [
      start(),
      filled(200),
      type(filled(), '/', ...'x'.repeat(300)).state,
      filterRefused(type(filled(), '/', ...'x'.repeat(300)).state, { message: 'm'.repeat(200), hint: '', position: 290, length: 5 }),
      type(filled(), '\r').state,
      { ...filled(), fields: fieldsOf(FIELDS.map((field) => field.key).slice(0, 40)), chosen: true },
    ];
    for (const state of states) {
      for (const [columns, rows] of [
        [20, 8],
        [80, 24],
        [80, 12],
        [300, 60],
      ] as const) {
        const { lines, cursor } = render(resized(state, columns, rows));
        assert.equal(lines.length, rows);
        for (const { text } of lines) assert.ok(cellsOf(text) <= columns, `${columns}: ${text}`);
        assert.ok(cursor === undefined || cursor.column < columns);
      }
    }
  });

  test('what terminals would obey is not sent to them', () => {
    const state = answered(start(), status(1, 1), list(row(1, { 'proto.ndpi': '\u001b[2Jx', info: '\u009b31m' })));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    for (const { text } of render(state).lines) assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/);
  });

  test('details: everything that the flow has, scrolled, and the end of the flow', () => {
    const info = `https://www.example.org/${'path/'.repeat(30)}`;
    const open = type(filled(), '\r');
    assert.deepEqual([open.state.mode, open.effects], ['details', ['ask details']]);
    const whole = detailed(open.state, row(20, { info, duration: 90, 'tcp.appl_latency': 3.2, 'cli.os': '' }));
    const text = render(resized(whole, 80, 60)).lines.map((line) => line.text);
    assert.equal(text[0], 'Flow r-0-20 on eth0');
    assert.ok(text.some((line) => /^duration +1 min 30 s$/.test(line)));
    assert.ok(!text.some((line) => line.startsWith('cli.os')));
    const at = text.findIndex((line) => line.startsWith('info '));
    const value = text.slice(at, at + 4).map((line) => line.slice(line.lastIndexOf(' ') + 1));
    assert.ok(value.join('').startsWith(info), value.join(''));
    const [, first] = render(type(whole, 'down').state).lines;
    assert.notEqual(first?.text, text[1]);
    assert.match(render(whole).lines.at(-1)?.text as string, /\d+ more below$/);
    assert.equal(render(detailed(whole, undefined)).lines[0]?.text, 'Flow r-0-20 on eth0, it has ended');
    assert.equal(type(whole, 'escape').state.mode, 'table');
    // answers go on coming in meanwhile
    assert.equal(answered(whole, status(20, 1), list(...many(3))).mode, 'details');
  });
});
