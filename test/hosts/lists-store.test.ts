/** The store of lists on real files and a real HTTP server, with a clock that the tests move. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ListError, parseListOption } from '../../src/hosts/lists/declaration.ts';
import { redirected } from '../../src/hosts/lists/download.ts';
import { openLists } from '../../src/hosts/lists/lookup.ts';
import { createListStore, type ListStore, type ListStoreOptions, nextAttempt } from '../../src/hosts/lists/store.ts';
import { parseIPv4 } from '../../src/hosts/prefixes.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 10, 24);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let origin = '';
let answer: Answer;
let requests: IncomingMessage[] = [];
let scratch = '';
let time = 0;
let lines: string[] = [];

before(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-lists-'));
  requests = [];
  lines = [];
  time = MIDNIGHT + 10 * HOUR + 600_000;
});
afterEach(() => rmSync(scratch, { recursive: true }));

const text =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(200, headers).end(body);
  };
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end('<html>no</html>');
  };

const store = (declared: string[], more: Partial<ListStoreOptions> = {}): ListStore =>
  createListStore({
    sources: declared.map(parseListOption),
    now: () => time,
    log: { info: (line) => lines.push(`info ${line}`), warn: (line) => lines.push(`warn ${line}`) },
    ...more,
  });
const file = (name: string, content: string | Buffer): string => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
};
type Compiled = Parameters<typeof openLists>[0];
const category = (compiled: Compiled | undefined, address: string): number => openLists(compiled as Compiled).category4(parseIPv4(address));
/** The only list's status. */
const only = (of: ListStore) => of.status()[0] as ReturnType<ListStore['status']>[number];

describe('files', () => {
  test('are read at the start, and again when they have changed', async () => {
    const path = file('bad.txt', '203.0.113.7\nno entry at all\n');
    const lists = store([`mining:${path}`]);
    assert.equal(category(await lists.load(), '203.0.113.7'), 99);
    assert.deepEqual(lists.status(), [
      {
        ...{ name: 'bad', category: 99, format: 'auto', source: path, entries: 1, rejected: 1 },
        ...{ firstRejected: `${path}:2: no entry at all`, lastUpdate: time, lastError: '', errors: 0 },
      },
    ]);
    assert.deepEqual(lines, [
      `warn list bad: 1 lines are no entries of format auto; the first: ${path}:2: no entry at all`,
      'info list bad: 1 entries',
    ]);
    assert.ok(!lists.due(time + 4999));
    assert.ok(lists.due(time + 5000));
    assert.ok(lists.due(time - 1), 'a clock that was set back holds nothing up');
    assert.equal(lists.nextRefresh(), Number.POSITIVE_INFINITY);

    time += 5000;
    assert.equal(await lists.refresh(), undefined);
    assert.ok(!lists.due(time));
    file('bad.txt', '203.0.113.8\n');
    assert.equal(category(await lists.refresh(), '203.0.113.8'), 99);
    assert.deepEqual([only(lists).entries, only(lists).rejected, only(lists).lastUpdate], [1, 0, time]);

    renameSync(file('new', '203.0.113.9\n'), path);
    assert.equal(category(await lists.refresh(), '203.0.113.9'), 99, 'a file moved into place');
  });

  test('the same content again is no change', async () => {
    const path = file('bad.txt', '203.0.113.7\n');
    const lists = store([path]);
    await lists.load();
    renameSync(file('new', '203.0.113.7\n'), path);
    assert.equal(await lists.refresh(), undefined);
  });

  test('that are missing at the start end it; the message names the file', async () => {
    await assert.rejects(store([join(scratch, 'none')]).load(), (error: ListError) => {
      assert.ok(error instanceof ListError);
      assert.match(error.message, /^the list \/.*none cannot be read: ENOENT/);
      return true;
    });
    await assert.rejects(store([scratch]).load(), /EISDIR|directory/);
  });

  for (const [what, spoil, message] of [
    ['gone', (path: string) => rmSync(path), /^cannot be read: ENOENT/],
    ['empty', (path: string) => writeFileSync(path, ' \n'), /^is empty now$/],
    ['a web page', (path: string) => writeFileSync(path, '\n<!doctype html>\nx\n'), /^is a web page/],
    [
      'mostly rejected',
      (path: string) => writeFileSync(path, '203.0.113.9\na b c\nd e f\n'),
      /^2 lines are no entries of format auto; the first: .*:2: a b c$/,
    ],
    ['damaged', (path: string) => writeFileSync(path, gzipSync('203.0.113.9\n').subarray(0, 15)), /^is a damaged gzip file/],
  ] as const) {
    test(`a file that is ${what} keeps the last good entries, and is reported once`, async () => {
      const path = file('bad.txt', '203.0.113.7\n');
      const lists = store([path]);
      await lists.load();
      spoil(path);
      for (let look = 0; look < 3; look++) assert.equal(await lists.refresh(), undefined);
      assert.match(only(lists).lastError, message);
      assert.deepEqual([only(lists).entries, only(lists).errors], [1, 1]);
      assert.equal(lines.length, 2);
      assert.match(lines[1] as string, /^warn list bad: .*; its 1 last good entries stay/);

      file('bad.txt', '203.0.113.9\n');
      assert.equal(category(await lists.refresh(), '203.0.113.9'), 100);
      assert.equal(only(lists).lastError, '');
    });
  }

  test('a comment line alone empties a list', async () => {
    const path = file('bad.txt', '203.0.113.7\n');
    const lists = store([path]);
    await lists.load();
    file('bad.txt', '# nothing today\n');
    assert.equal(category(await lists.refresh(), '203.0.113.7'), 0);
    assert.equal(only(lists).entries, 0);
  });

  test('gzip files; files over a limit', async () => {
    const path = file('bad.txt.gz', gzipSync('203.0.113.7\n'));
    assert.equal(category(await store([path]).load(), '203.0.113.7'), 100);
    const large = file('large.txt', '203.0.113.7\n'.repeat(100));
    await assert.rejects(store([large], { limits: { bytes: 1024 } }).load(), /large\.txt is larger than 1 KiB/);
    await assert.rejects(store([large], { limits: { lines: 99 } }).load(), /large\.txt has more than 99 lines/);
    await assert.rejects(
      store([file('bomb.gz', gzipSync(Buffer.alloc(100_000)))], { limits: { bytes: 1024 } }).load(),
      /is larger than 1 KiB/,
    );
  });

  test('two lists of one name', async () => {
    mkdirSync(join(scratch, 'a'));
    const lists = store([file('bad.txt', '203.0.113.7\n'), file('a/bad.txt', '203.0.113.8\n')]);
    await lists.load();
    assert.deepEqual(
      lists.status().map(({ name }) => name),
      ['bad', 'bad-2'],
    );
  });
});

describe('downloads', () => {
  const url = (): string => `malware:ip:${origin}/bad.txt`;
  const copyOf = (): string => join(scratch, 'category_lists', readdirSync(join(scratch, 'category_lists'))[0] as string);

  test('are asked at the start and at midnight; a server that says "not modified" is believed', async () => {
    answer = text('203.0.113.7\n', { etag: '"1"', 'last-modified': 'Tue, 24 Nov 2026 00:00:00 GMT' });
    const lists = store([url()]);
    assert.ok(lists.due(time));
    assert.equal(category(await lists.load(), '203.0.113.7'), 100);
    assert.equal(lists.nextRefresh(), MIDNIGHT + DAY);
    assert.ok(!lists.due(MIDNIGHT + DAY - 1));
    assert.ok(lists.due(MIDNIGHT + DAY));

    assert.equal(await lists.refresh(), undefined);
    assert.equal(requests.length, 1, 'not due: not asked');

    time = MIDNIGHT + DAY;
    answer = status(304);
    assert.equal(await lists.refresh(), undefined);
    assert.equal(requests[1]?.headers['if-none-match'], '"1"');
    assert.equal(requests[1]?.headers['if-modified-since'], 'Tue, 24 Nov 2026 00:00:00 GMT');
    assert.deepEqual([only(lists).lastUpdate, only(lists).errors, lists.nextRefresh()], [time, 0, MIDNIGHT + 2 * DAY]);

    answer = text('203.0.113.8\n');
    assert.equal(category(await lists.refresh(true), '203.0.113.8'), 100, 'asked out of turn');
    assert.equal(await lists.refresh(true), undefined, 'the same bytes again are no change');
    assert.deepEqual(lines, ['info list 127.0.0.1_bad: 1 entries', 'info list 127.0.0.1_bad: 1 entries']);
  });

  test('fail: three tries at the next full hours, then daily; a good one starts over', async () => {
    answer = text('203.0.113.7\n');
    const lists = store([url()]);
    await lists.load();
    answer = status(503);
    const tries: number[] = [];
    for (let i = 0; i < 6; i++) {
      time = lists.nextRefresh() + 60_000;
      tries.push((time - 60_000 - MIDNIGHT) / HOUR);
      assert.equal(await lists.refresh(), undefined);
    }
    assert.deepEqual(tries, [24, 25, 26, 27, 48, 72]);
    assert.equal(only(lists).errors, 6);
    assert.match(only(lists).lastError, /^HTTP status 503 from 127\.0\.0\.1:\d+$/);
    assert.equal(lines.filter((line) => line.startsWith('warn') && line.endsWith('; its 1 last good entries stay')).length, 6);
    answer = text('203.0.113.8\n');
    time = lists.nextRefresh();
    assert.equal(category(await lists.refresh(), '203.0.113.8'), 100);
    assert.deepEqual([only(lists).lastError, only(lists).errors, lists.nextRefresh()], ['', 6, time + DAY]);
  });

  test('the times of attempts', () => {
    for (const [attempt, failures, next] of [
      [MIDNIGHT, 0, MIDNIGHT + DAY],
      [MIDNIGHT + DAY - 1, 0, MIDNIGHT + DAY],
      [MIDNIGHT, 1, MIDNIGHT + HOUR],
      [MIDNIGHT + HOUR + 1, 3, MIDNIGHT + 2 * HOUR],
      [MIDNIGHT + HOUR + 1, 4, MIDNIGHT + DAY],
    ] as const) {
      assert.equal(nextAttempt(attempt, failures), next);
    }
  });

  test('a clock that was set back by more than a day does not put refreshes off', async () => {
    answer = text('203.0.113.7\n');
    const lists = store([url()]);
    await lists.load();
    assert.ok(lists.due(MIDNIGHT - 300 * DAY));
  });

  for (const [what, bad, message] of [
    ['an error', status(404), /^HTTP status 404/],
    ['a web page', text('\ufeff  <!DOCTYPE html><title>Login</title>\n'), /^is a web page/],
    ['nothing', text(''), /^is empty now/],
    ['another format', text('a,b c\nd,e f\n203.0.113.9\n'), /^2 lines are no entries of format ip; the first: http.*:1: a,b c$/],
    ['a broken connection', (request) => request.socket.destroy(), /^no answer from 127\.0\.0\.1:\d+: ./],
    [
      'half of it',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('203.0.113.9\n', () => request.socket.destroy());
      },
      /^no answer from 127\.0\.0\.1:\d+: ./,
    ],
    ['too much', text('203.0.113.9\n'.repeat(100)), /^is larger than 1 KiB/],
    ['too much when unpacked', text(gzipSync('203.0.113.9\n'.repeat(100)), { 'content-encoding': 'gzip' }), /^is larger than 1 KiB/],
    ['a redirect to nowhere', status(302), /redirects to nowhere/],
    ['a redirect to a file', status(302, { location: 'file:///etc/passwd' }), /redirects from http to file, which is not followed/],
    ['a circle', status(301, { location: '/bad.txt' }), /^more than 5 redirects/],
    ['silence', () => {}, /^127\.0\.0\.1:\d+ was not done within 0\.2 s/],
  ] as [string, Answer, RegExp][]) {
    test(`${what} keeps the last good entries`, async () => {
      answer = text('203.0.113.7\n203.0.113.8\n');
      const lists = store([url()], { limits: { bytes: 1024, downloadMs: what === 'silence' ? 200 : 60_000 } });
      await lists.load();
      answer = bad;
      assert.equal(await lists.refresh(true), undefined);
      assert.match(only(lists).lastError, message);
      assert.deepEqual([only(lists).entries, only(lists).errors], [2, 1]);
      assert.equal(lines.filter((line) => line.startsWith('warn')).length, 1);
    });
  }

  test('redirects and gzip are followed', async () => {
    answer = (request, response) => {
      if (request.url === '/bad.txt') status(307, { location: '/moved' })(request, response);
      else if (request.url === '/moved') status(301, { location: `${origin}/list.gz` })(request, response);
      else text(gzipSync(gzipSync('203.0.113.7\n')), { 'content-encoding': 'gzip' })(request, response);
    };
    assert.equal(category(await store([url()]).load(), '203.0.113.7'), 100);
    assert.throws(() => redirected(new URL('https://a.example/'), 'http://a.example/'), /from https to http/);
  });

  test('a copy serves where the network does not; it asks only for what is newer', async () => {
    answer = text(gzipSync('203.0.113.7\n'), { etag: '"1"' });
    await store([url()], { directory: scratch }).load();
    assert.match(readFileSync(copyOf(), 'utf8'), /^# flowpatrol \{.*"etag":"\\"1\\"".*\}\n203\.0\.113\.7\n$/);
    const then = time;

    time += 5 * HOUR;
    answer = status(500);
    const offline = store([url()], { directory: scratch });
    assert.equal(category(await offline.load(), '203.0.113.7'), 100);
    assert.deepEqual([only(offline).lastUpdate, only(offline).errors, offline.nextRefresh()], [then, 1, MIDNIGHT + 16 * HOUR]);
    assert.match(lines.at(-1) as string, /^warn list .*HTTP status 500 .*; its 1 last good entries stay$/);

    answer = status(304);
    const online = store([url()], { directory: scratch });
    assert.equal(category(await online.load(), '203.0.113.7'), 100);
    assert.equal(requests.at(-1)?.headers['if-none-match'], '"1"');
    assert.deepEqual([only(online).lastUpdate, only(online).errors], [time, 0]);

    answer = text('203.0.113.8\n');
    assert.equal(category(await online.refresh(true), '203.0.113.8'), 100);
    assert.match(readFileSync(copyOf(), 'utf8'), /\n203\.0\.113\.8\n$/);
    assert.equal(readdirSync(join(scratch, 'category_lists')).length, 1, 'no temporary file stays');
  });

  test('without a copy a failed download is reported and the list is empty', async () => {
    answer = status(500);
    const lists = store([url(), file('good.txt', '203.0.113.9\n')], { directory: scratch });
    const compiled = await lists.load();
    assert.deepEqual([category(compiled, '203.0.113.7'), category(compiled, '203.0.113.9')], [0, 100]);
    assert.deepEqual(
      compiled.lists.map(({ entries }) => entries),
      [0, 1],
    );
    assert.deepEqual([only(lists).errors, only(lists).lastUpdate], [1, 0]);
  });

  for (const [what, content] of [
    ['of another URL', '# flowpatrol {"from":"http://other.example/","etag":"","lastModified":"","time":1}\n203.0.113.1\n'],
    ['that somebody has overwritten', '203.0.113.1\n'],
    ['that is empty', ''],
  ]) {
    test(`a copy ${what} is not used`, async () => {
      answer = text('203.0.113.7\n');
      await store([url()], { directory: scratch }).load();
      writeFileSync(copyOf(), content as string);
      answer = status(500);
      const lists = store([url()], { directory: scratch });
      assert.equal(category(await lists.load(), '203.0.113.1'), 0);
      assert.equal(only(lists).entries, 0);
      assert.equal(requests.at(-1)?.headers['if-none-match'], undefined);
    });
  }

  test('a data directory that takes no copy is reported, the list is used', async () => {
    answer = text('203.0.113.7\n');
    const lists = store([url()], { directory: file('occupied', '') });
    assert.equal(category(await lists.load(), '203.0.113.7'), 100);
    assert.match(only(lists).lastError, /^the copy in the data directory cannot be written: /);
  });

  test('two refreshes at a time are one', async () => {
    answer = text('203.0.113.7\n');
    const lists = store([url()]);
    await lists.load();
    answer = text('203.0.113.8\n');
    const [one, two] = await Promise.all([lists.refresh(true), lists.refresh(true)]);
    assert.equal(one, two);
    assert.equal(requests.length, 2);
  });
});
