/**
 * The whole program, killed again and again while it works: whatever was shown before must be there afterwards. Called by kill-program.ts
 * (50 kills) and test/alerts/kill.test.ts (a few).
 *
 *   DNS flows ──stdin──► flowpatrol -d DIR ──► REST, stream, webhook, file: what each of them shows is written down here
 *                             ▲   └── SIGKILL to its process group at a moment by chance, also while it starts
 *                             └── acknowledged, closed: what was answered is written down, too
 *
 * One script raises an alert about each flow, so their rate is that of the flows. Some flows repeat an alert, which is counted on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import type { Alert, AlertState } from '../../src/alerts/alert.ts';
import { dnsAnswer, dnsQuery } from '../support/conversations/messages.ts';
import { said, udpTalk } from '../support/conversations/talk.ts';
import { pcapFile } from '../support/packets.ts';
import { CLI } from '../support/run-cli.ts';

const API = '/api/v1';
const PASSWORD = 'correct horse battery';
/** Between two times of the traffic that flows are added at; in packet time one visit. */
const TICK_MS = 50;
const VISIT_S = 5;
/** One flow of so many is like one before it. */
const REPEATED = 5;
/** Kills come within so many ms: of the start of the process, or of its being ready. */
const LONGEST_LIFE_MS = 4000;
/** Part of the kills whose moment counts from the start of the process. */
const EARLY = 0.3;
const PATIENCE_MS = 60_000;
const PAGE = 500;

const SCRIPT = `local script = { key = "each", gui = { i18n_title = "each flow" } }
function script.setup() return true end
function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.info, { query = info["protos.dns.last_query"] })
end
return script
`;

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** New flows a second, each with an alert. */
  readonly rate: number;
  readonly onKill?: (line: string) => void;
}

export interface KillResult {
  /** What was shown or answered and was not there after a kill; and all else that should not be. */
  readonly wrong: readonly string[];
  /** From the start of the process to its being ready, ms, of all starts that came so far. */
  readonly startMs: readonly number[];
  /** Kills before it was ready. */
  readonly early: number;
  /** Alerts that were shown, by REST, stream, webhook, file. */
  readonly shown: Readonly<Record<Way, number>>;
  /** Alerts in the history at the end; those that people said something about. */
  readonly alerts: number;
  readonly changed: number;
  /** Alerts that a receiver got more than once. */
  readonly twice: number;
  /** Lines that the kill has cut in the file of notifications. */
  readonly torn: number;
}

type Way = 'rest' | 'stream' | 'webhook' | 'file';

/** What is known of an alert from the outside. */
interface Known {
  count: number;
  state?: AlertState;
  comment?: string;
}

/** Numbers from 0 to 1, the same for a seed: a linear congruence modulo the prime 2^31 - 1. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A receiver that is slow, and refuses one delivery of ten. @param take gets the ids of a delivery that it accepts */
async function receiver(random: () => number, take: (ids: readonly string[]) => void): Promise<{ server: Server; url: string }> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    try {
      for await (const part of request.setEncoding('utf8')) body += String(part);
    } catch {
      return; // the sender was killed in the middle of it
    }
    await pause(random() * 20);
    const refused = random() < 0.1;
    if (!refused) take((JSON.parse(body) as { alerts: Alert[] }).alerts.map(({ id }) => id));
    response.writeHead(refused ? 503 : 204).end();
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** Flows without end, in packet time. @returns the next records of a capture */
function createTraffic(random: () => number): (flows: number) => Uint8Array {
  let number = 0;
  let at = 0;
  const clientOf = (of: number): string => `10.${(of >> 16) & 255}.${(of >> 8) & 255}.${of & 255}`;
  return (flows) => {
    const packets = Array.from({ length: flows }, (_, i) => {
      const of = number > 0 && i % REPEATED === REPEATED - 1 ? Math.max(1, number - Math.floor(random() * 50)) : ++number;
      const id = 1024 + ((number * 7 + i) % 60_000);
      const name = `n${of}.example.org`;
      return udpTalk({ at, client: clientOf(of), server: '192.0.2.53', from: id, to: 53 }, [
        said('client', dnsQuery(id, name)),
        said('server', dnsAnswer(id, name, '203.0.113.10')),
      ]);
    }).flat();
    at += VISIT_S;
    return pcapFile(packets.sort((a, b) => a.time - b.time)).subarray(24);
  };
}

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Lines of its log at `warn` and above. */
  readonly said: string[];
  /** Lines that are no log: why it could not start is among them. */
  readonly plain: readonly string[];
}

export async function kill({ kills, seed, rate, onKill = () => {} }: KillOptions): Promise<KillResult> {
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-kill-'));
  const [data, scripts, file] = [join(folder, 'data'), join(folder, 'scripts'), join(folder, 'alerts.jsonl')];
  // without the folder of the user's own texts each start says that it is not there
  for (const each of [join(data, 'locales'), scripts]) mkdirSync(each, { recursive: true });
  writeFileSync(join(scripts, 'each.lua'), SCRIPT);
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const traffic = createTraffic(random);

  const known = new Map<string, Known>();
  const unchecked = new Set<string>();
  const ways: Record<Way, Set<string>> = { rest: new Set(), stream: new Set(), webhook: new Set(), file: new Set() };
  const wrong: string[] = [];
  const startMs: number[] = [];
  const received = new Map<string, number>();
  let early = 0;
  let token = '';
  let program: Program | undefined;

  function see(way: Way, id: string, { count, state, comment }: Partial<Known> = {}): void {
    ways[way].add(id);
    unchecked.add(id);
    const of = known.get(id) ?? { count: 1 };
    known.set(id, of);
    of.count = Math.max(of.count, count ?? 1);
    if (state !== undefined && state !== 'new') of.state = state;
    if (comment !== undefined && comment !== '') of.comment = comment;
  }

  const hook = await receiver(random, (ids) => {
    for (const id of ids) {
      see('webhook', id);
      received.set(id, (received.get(id) ?? 0) + 1);
    }
  });

  /** @throws when it does not answer, or not well */
  async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
    const headers = {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const answer = await fetch(base + API + path, { ...options, headers: { ...headers, ...options.headers } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`);
    return JSON.parse(text) as T;
  }
  const post = <T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> =>
    ask<T>(path, { method: 'POST', body: JSON.stringify(body), headers });

  function start(): Program {
    const args = [
      '-i',
      '-',
      '-d',
      data,
      '-w',
      `127.0.0.1:${port}`,
      '--local-notifications',
      '--scripts-dir',
      scripts,
      '--password-file',
      join(folder, 'password'),
    ];
    // a group of its own: whatever the program has started ends with it
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    const said: string[] = [];
    const plain: string[] = [];
    child.stdin?.on('error', () => {}); // it is killed while it reads
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      if (!line.startsWith('{')) {
        plain.push(line);
        return;
      }
      const { level, msg } = JSON.parse(line) as { level: number; msg: string };
      if (level >= 40) said.push(msg);
    });
    child.stdin?.write(pcapFile([]));
    return { child, ended: once(child, 'exit'), said, plain };
  }

  /** @returns ms from its start; undefined: it was killed before */
  async function ready({ child }: Program, began: number): Promise<number | undefined> {
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const answer = await fetch(`${base}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return performance.now() - began;
      if (performance.now() - began > PATIENCE_MS) throw new Error(`not ready within ${PATIENCE_MS} ms`);
      await pause(5);
    }
  }

  /** The first start: somebody to ask as, and receivers. */
  async function settle(): Promise<void> {
    const session = await fetch(`${base}${API}/session`, { method: 'POST', body: JSON.stringify({ name: 'admin', password: PASSWORD }) });
    const cookie = (session.headers.get('set-cookie') ?? '').split(';')[0] as string;
    const { csrf } = (await session.json()) as { csrf: string };
    const made = await post<{ text: string }>('/tokens', { name: 'kill', role: 'admin' }, { cookie, 'x-csrf-token': csrf });
    token = made.text;
    await post('/notifications', { name: 'hook', kind: 'webhook', settings: { url: hook.url } });
    await post('/notifications', { name: 'file', kind: 'file', settings: { path: file } });
  }

  /** Everything of `unchecked` is looked for, as it was known when this began. */
  async function check(): Promise<void> {
    const wanted = new Map([...unchecked].map((id) => [id, { ...(known.get(id) as Known) }]));
    for (let offset = 0; wanted.size > 0; offset += PAGE) {
      const { alerts } = await ask<{ alerts: Alert[] }>(`/alerts?sort=id&order=desc&limit=${PAGE}&offset=${offset}`);
      for (const { id, count, state, comment } of alerts) {
        const of = wanted.get(id);
        if (of === undefined) continue;
        wanted.delete(id);
        unchecked.delete(id);
        if (count < of.count) wrong.push(`alert ${id}: count ${of.count} was shown, ${count} is there`);
        if (of.state !== undefined && (state !== of.state || comment !== of.comment))
          wrong.push(`alert ${id}: ${of.state} '${of.comment}' was shown, '${state}' '${comment}' is there`);
      }
      if (alerts.length === 0) break;
    }
    for (const id of wanted.keys()) {
      unchecked.delete(id);
      wrong.push(`alert ${id} was shown by ${(Object.keys(ways) as Way[]).filter((way) => ways[way].has(id)).join(', ')} and is not there`);
    }
  }

  /** Runs beside the traffic until the program is gone. What fails then fails because of that. */
  async function watch(): Promise<void> {
    const answer = await fetch(`${base}${API}/stream?topics=alerts`, { headers: { authorization: `Bearer ${token}` } });
    let text = '';
    for await (const part of (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      text += part;
      const frames = text.split('\n\n');
      text = frames.pop() as string;
      for (const frame of frames) {
        const line = frame.split('\n').find((each) => each.startsWith('data: '));
        if (line === undefined || !frame.startsWith('event: alerts')) continue;
        const { alert } = JSON.parse(line.slice(6)) as { alert: Alert };
        see('stream', alert.id, alert);
      }
    }
  }
  async function look(still: () => boolean): Promise<void> {
    for (; still(); await pause(100)) {
      const { alerts } = await ask<{ alerts: Alert[] }>('/alerts?sort=id&order=desc&limit=50');
      for (const alert of alerts) see('rest', alert.id, alert);
    }
  }
  async function say(still: () => boolean, round: number): Promise<void> {
    for (let time = 0; still(); time++, await pause(60)) {
      const free = [...ways.stream].slice(-200).filter((id) => known.get(id)?.state === undefined);
      const ids = free.filter(() => random() < 0.1);
      if (ids.length === 0) continue;
      const [action, state] = random() < 0.5 ? (['acknowledge', 'acknowledged'] as const) : (['close', 'closed'] as const);
      const comment = `${round}.${time}`;
      await post('/alerts/actions', { action, ids, comment });
      for (const id of ids) see('rest', id, { state, comment });
    }
  }

  async function play(of: Program, still: () => boolean, round: number): Promise<void> {
    const busy = [watch(), look(still), say(still, round)].map((each) => each.catch(() => {}));
    for (; still(); await pause(TICK_MS)) of.child.stdin?.write(traffic(Math.round((rate * TICK_MS) / 1000)));
    await Promise.all(busy);
  }

  const takeFile = (): number => {
    if (!existsSync(file)) return 0;
    let torn = 0;
    const counts = new Map<string, number>();
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      try {
        const { id } = JSON.parse(line) as Alert;
        counts.set(id, (counts.get(id) ?? 0) + 1);
        if (!ways.file.has(id)) see('file', id);
      } catch {
        torn++;
      }
    }
    for (const [id, count] of counts) received.set(id, Math.max(received.get(id) ?? 0, count));
    return torn;
  };

  try {
    for (let round = 0; round <= kills; round++) {
      const began = performance.now();
      const running = start();
      program = running;
      const { child } = running;
      let killed = false;
      const still = (): boolean => !killed && child.exitCode === null && child.signalCode === null;
      let killer: NodeJS.Timeout | undefined;
      const arm = (): void => {
        killer = setTimeout(() => {
          killed = true;
          process.kill(-(child.pid as number), 'SIGKILL');
        }, random() * LONGEST_LIFE_MS);
      };
      // the first one is set up before, the last one lives
      const soon = round > 0 && round < kills && random() < EARLY;
      if (soon) arm();
      const took = await ready(running, began);
      if (took !== undefined) startMs.push(took);
      else early++;
      const work = async (): Promise<void> => {
        if (took === undefined) return;
        if (round === 0) await settle();
        if (!soon && round < kills) arm();
        await check();
        if (round < kills) await play(running, still, round);
      };
      const failed = await work().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed !== undefined && still()) throw failed;
      if (round < kills) {
        const [code, signal] = (await running.ended) as [number | null, string | null];
        clearTimeout(killer);
        if (signal !== 'SIGKILL')
          wrong.push(`it ended by itself, code ${code}: ${[...running.said, ...running.plain.slice(-5)].join('; ')}`);
        takeFile();
      }
      wrong.push(...running.said.map((line) => `start ${round} said: ${line}`));
      onKill(
        `${String(round + 1).padStart(3)}: ${took === undefined ? 'killed before it was ready' : `ready after ${took.toFixed(0)} ms`}, lived ${(performance.now() - began).toFixed(0)} ms; ` +
          `${known.size} alerts known, ${unchecked.size} to be looked for; ${wrong.length} wrong`,
      );
    }

    // the last run: what was not delivered goes out
    const counters = async (): Promise<{ waiting: number; dropped: number; dead: number }[]> =>
      (
        await ask<{ notifications: { waiting: number; counters: { dropped: number; dead: number } }[] }>('/notifications')
      ).notifications.map((of) => ({ waiting: of.waiting, ...of.counters }));
    for (const began = performance.now(); (await counters()).some(({ waiting }) => waiting > 0); await pause(100)) {
      if (performance.now() - began > PATIENCE_MS) throw new Error('notifications wait for too long');
    }
    for (const { dropped, dead } of await counters()) if (dropped + dead > 0) wrong.push(`${dropped} dropped, ${dead} dead letters`);
    const torn = takeFile();
    for (const id of known.keys()) unchecked.add(id);
    await check();
    let alerts = 0;
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const page = await ask<{ total: number; alerts: Alert[] }>(`/alerts?sort=id&order=desc&limit=${PAGE}&offset=${offset}`);
      ({ total } = page);
      alerts += page.alerts.length;
      for (const { id } of page.alerts) {
        for (const way of ['webhook', 'file'] as const) if (!ways[way].has(id)) wrong.push(`alert ${id} is there and came to no ${way}`);
      }
    }
    const { child, ended, said: last } = program as Program;
    child.stdin?.end(); // the end of a capture that is waited for, and of the run
    child.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    if (code !== 0) wrong.push(`the end: code ${code}, ${last.join('; ')}`);
    program = undefined;
    const settings = new DatabaseSync(join(data, 'settings.db'));
    const [{ integrity_check: intact } = { integrity_check: '?' }] = settings.prepare('PRAGMA integrity_check').all() as {
      integrity_check: string;
    }[];
    settings.close();
    if (intact !== 'ok') wrong.push(`settings.db: ${intact}`);
    return {
      ...{ wrong, startMs, early, alerts, torn },
      shown: { rest: ways.rest.size, stream: ways.stream.size, webhook: ways.webhook.size, file: ways.file.size },
      changed: [...known.values()].filter(({ state }) => state !== undefined).length,
      twice: [...received.values()].filter((times) => times > 1).length,
    };
  } finally {
    if (program?.child.pid !== undefined && program.child.exitCode === null && program.child.signalCode === null)
      process.kill(-program.child.pid, 'SIGKILL');
    hook.server.close();
    hook.server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}
