/**
 * The pages as a person has them: the real program with its web server, flow records from a real socket, and Debian's Chromium. Called by
 * the tests of this folder.
 *
 *   NetFlow v5 over UDP ──► flowpatrol (its own process) ──► Chromium
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildPages, pagesCurrent } from '../../web/build.js';
import { CLI } from '../support/run-cli.ts';

/** Captures may be given relative to it. */
export const ROOT = resolve(import.meta.dirname, '../..');
export const PASSWORD = 'a password of the tests';
/** Until then everything has come that comes. */
export const PATIENCE_MS = 60_000;

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Program {
  readonly url: string;
  /** Everything of this run; `scripts` is in it. */
  readonly folder: string;
  readonly scripts: string;
  /** What it has printed so far. */
  output(): string;
  /** Sends flow records to it, as an exporter does. */
  export(flows: readonly ExportedFlow[]): Promise<void>;
  /** Ends the process, so that nobody answers; `again` starts it with the same options and data. */
  end(): Promise<void>;
  again(): Promise<void>;
  stop(): Promise<void>;
}

export interface ExportedFlow {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** UDP without it. */
  readonly tcp?: boolean;
  readonly bytes?: number;
}

const address = (text: string): number[] => text.split('.').map(Number);

/** NetFlow version 5 (header of 24 bytes, records of 48), made now, each flow one second long. */
function netflow(flows: readonly ExportedFlow[], sequence: number): Buffer {
  const packet = Buffer.alloc(24 + 48 * flows.length);
  const uptime = 3_600_000;
  const now = Date.now();
  packet.writeUInt16BE(5, 0);
  packet.writeUInt16BE(flows.length, 2);
  packet.writeUInt32BE(uptime, 4);
  packet.writeUInt32BE(Math.floor(now / 1000), 8);
  packet.writeUInt32BE((now % 1000) * 1e6, 12);
  packet.writeUInt32BE(sequence, 16);
  flows.forEach(({ from, to, fromPort, toPort, tcp = false, bytes = 1000 }, i) => {
    const at = 24 + 48 * i;
    packet.set(address(from), at);
    packet.set(address(to), at + 4);
    packet.writeUInt32BE(10, at + 16);
    packet.writeUInt32BE(bytes, at + 20);
    packet.writeUInt32BE(uptime - 1000, at + 24);
    packet.writeUInt32BE(uptime, at + 28);
    packet.writeUInt16BE(fromPort, at + 32);
    packet.writeUInt16BE(toPort, at + 34);
    packet.writeUInt8(tcp ? 0x1b : 0, at + 37);
    packet.writeUInt8(tcp ? 6 : 17, at + 38);
  });
  return packet;
}

const MOST_RECORDS = 30;
const READY = 'Web interface:';

/**
 * @param scripts files of the folder of scripts
 * @param args further options
 * @param password of the admin; `printed`: the program makes one
 * @param records does it collect flow records? Else all its traffic is of the captures in `args`
 */
async function startProgram(
  scripts: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  password: string | 'printed' = PASSWORD,
  records = true,
): Promise<Program> {
  if (!pagesCurrent()) await buildPages();
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-web-'));
  const scriptFolder = join(folder, 'scripts');
  mkdirSync(scriptFolder);
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(scriptFolder, name), text);
  writeFileSync(join(folder, 'password'), password);
  const [web, collector] = [await freePort(), await freePort()];
  const options = [
    ...['-w', `127.0.0.1:${web}`, '-d', join(folder, 'data'), '--scripts-dir', scriptFolder],
    // a visit every second; a flow is over 11 s after its last record
    ...['--visit-period', '1', '--active-timeout', '1', '--idle-timeout', '1'],
    ...(password === 'printed' ? [] : ['--password-file', join(folder, 'password')]),
    ...(records ? ['-i', `netflow://127.0.0.1:${collector}`] : []),
    ...args,
  ];
  let output = '';
  /** @param sign the line that says that it is there */
  async function run(sign: string): Promise<() => Promise<void>> {
    const child: ChildProcess = spawn(process.execPath, [CLI, ...options], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      assert.ok(stream);
      createInterface({ input: stream }).on('line', (line) => {
        output += `${line}\n`;
        if (line.startsWith(sign)) ready.resolve();
      });
    }
    const ended = once(child, 'exit');
    void ended.then(() => ready.reject(new Error(`flowpatrol has ended:\n${output}`)));
    await ready.promise;
    return async () => {
      child.kill('SIGTERM');
      await ended;
    };
  }
  let end = await run(password === 'printed' ? '  user admin, password ' : READY);

  let sequence = 0;
  return {
    url: `http://127.0.0.1:${web}/`,
    folder,
    scripts: scriptFolder,
    output: () => output,
    async export(flows) {
      const socket = createSocket('udp4');
      for (let i = 0; i < flows.length; i += MOST_RECORDS) {
        const some = flows.slice(i, i + MOST_RECORDS);
        const { promise, resolve: sent } = Promise.withResolvers<void>();
        socket.send(netflow(some, sequence), collector, '127.0.0.1', () => sent());
        await promise;
        sequence += some.length;
      }
      socket.close();
    },
    end: () => end(),
    async again() {
      end = await run(READY);
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // its sandbox does not start as root
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });

export interface Setting {
  readonly program: Program;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** The program and a browser; both or none. The arguments are those of {@link startProgram}. */
export async function open(...args: Parameters<typeof startProgram>): Promise<Setting> {
  const browser = await startBrowser();
  try {
    const program = await startProgram(...args);
    return {
      program,
      browser,
      async close() {
        await browser.close();
        await program.stop();
      },
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained about: violations of the policy, uncaught errors, requests to other places. */
  readonly complaints: string[];
}

/** A window of its own: no cookies, nothing stored. */
export async function openWindow(browser: Browser, { url }: Pick<Program, 'url'>, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on('console', (message) => {
    // what is not allowed yet: the page asks who is there before anybody has signed in
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:') && !request.url().startsWith('data:'))
      complaints.push(request.url());
  });
  await page.goto(url);
  return { page, complaints };
}

export async function signIn(page: Page, password: string = PASSWORD): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
}

/** Goes to a page by its address, and waits until its heading says that it is there. */
export async function goTo(page: Page, { url }: Pick<Program, 'url'>, path: string, heading: string | RegExp): Promise<void> {
  await page.goto(`${url}#/${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

/** A script that raises an alert about every flow to the port. */
export const portScript = (key: string, title: string, port: number): string => `
local check_module = {
  key = "${key}",
  gui = { i18n_title = "${title}", i18n_description = "Alerts about port ${port}", input_builder = alerts_api.flow_checkbox_input_builder },
}
function check_module.setup() return true end
function check_module.protocolDetected(info)
  if info["srv.port"] == ${port} then
    alerts_api.storeFlowAlert(alert_consts.alert_types.potentially_dangerous_protocol, alert_consts.alert_severities.warning, { why = "clear text", port = ${port} })
  end
end
return check_module
`;
