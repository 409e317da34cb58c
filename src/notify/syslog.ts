/**
 * Syslog (RFC 5424): one message per alert, by UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425).
 *
 *   <PRI>1 TIME HOST flowpatrol PID TYPE [flowpatrol@32473 id="…" script="…" …] BOM line
 *
 *   UDP        a datagram each, at most 2048 bytes; nobody says whether it arrives
 *   TCP, TLS   `LENGTH SP message`, octets counted, over a connection that stays open
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { Alert, Severity } from '../alerts/alert.ts';
import { type SettingValues, textOf } from './settings.ts';
import { DeliveryError, TIMEOUT_MS, type Transport } from './transport.ts';
import { momentOf } from './words.ts';

export const SYSLOG_TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

/** RFC 5424, 6.2.1, table 2; in the order of our severities they are backwards. */
const PRIORITIES: Readonly<Record<Severity, number>> = {
  emergency: 0,
  alert: 1,
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};
export const FACILITIES = [
  ...[
    'kern',
    'user',
    'mail',
    'daemon',
    'auth',
    'syslog',
    'lpr',
    'news',
    'uucp',
    'cron',
    'authpriv',
    'ftp',
    'ntp',
    'audit',
    'console',
    'clock',
  ],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const;

/** The number that RFC 5612 keeps for examples: we have none of our own. */
const ENTERPRISE = 32473;
/** RFC 5426, 3.2: receivers should take messages of so many bytes. */
const MOST_DATAGRAM = 2048;

/** Header fields are visible ASCII of bounded length, `-` where there is nothing (RFC 5424, 6). */
const headerText = (text: string, most: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, most) || '-';
/** RFC 5424, 6.3.3: three characters of a value are escaped. */
const parameter = (name: string, value: string): string => `${name}="${value.replace(/[\\"\]]/g, '\\$&')}"`;

export function syslogMessage(alert: Alert, facility: number, host: string, test: boolean): Buffer {
  const { flow } = alert;
  const data = {
    id: alert.id,
    script: alert.script,
    version: alert.version,
    severity: alert.severity,
    score: alert.score,
    interface: alert.interface,
    flow: flow['flow.id'],
    client: flow['cli.ip'],
    clientPort: flow['cli.port'],
    server: flow['srv.ip'],
    serverPort: flow['srv.port'],
    l4: flow['proto.l4'],
    protocol: flow['proto.ndpi'],
    name: flow.host_server_name,
    ...(test ? { test: true } : {}),
  };
  const parameters = Object.entries(data).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [parameter(name, String(value))],
  );
  const head = [
    `<${facility * 8 + PRIORITIES[alert.severity]}>1`,
    momentOf(alert.time),
    headerText(host, 255),
    'flowpatrol',
    process.pid,
    headerText(alert.type, 32),
    `[flowpatrol@${ENTERPRISE} ${parameters.join(' ')}]`,
  ];
  return Buffer.from(`${head.join(' ')} \ufeff${alert.title}: ${alert.description}`, 'utf8');
}

/** No more bytes than that, and no half character at the end. */
function cut(message: Buffer, most: number): Buffer {
  if (message.length <= most) return message;
  let end = most;
  while (((message[end] as number) & 0xc0) === 0x80) end--;
  return message.subarray(0, end);
}

async function within<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeliveryError(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function createSyslog(settings: SettingValues): Transport {
  const facility = FACILITIES.indexOf(textOf(settings, 'facility') as (typeof FACILITIES)[number]);
  const host = textOf(settings, 'host');
  const port = Number(settings.port);
  const ca = textOf(settings, 'ca');
  const way = textOf(settings, 'transport');
  let open: Socket | undefined;

  async function datagrams(messages: readonly Buffer[]): Promise<void> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      for (const message of messages) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        socket.once('error', reject);
        socket.send(cut(message, MOST_DATAGRAM), port, host, (error) => (error === null ? resolve() : reject(error)));
        await within(promise);
      }
    } finally {
      socket.close();
    }
  }

  /** The connection; a new one where the other side has ended it. */
  async function connection(): Promise<Socket> {
    if (open?.writable && !open.readableEnded && !open.destroyed) return open;
    open?.destroy();
    const socket = way === 'tls' ? connectTls({ host, port, ...(ca === '' ? {} : { ca }) }) : connectTcp({ host, port });
    open = socket;
    socket.setKeepAlive(true, 30_000);
    socket.unref();
    socket.resume(); // nobody answers; an end is seen all the same
    socket.on('end', () => socket.destroy());
    try {
      await within(once(socket, way === 'tls' ? 'secureConnect' : 'connect'));
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      throw error;
    }
    socket.on('error', () => {}); // a write says it, or the next connection
    return socket;
  }

  async function stream(messages: readonly Buffer[]): Promise<void> {
    const socket = await connection();
    const frames = Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message]));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = (): void => reject(new DeliveryError('the receiver has closed the connection'));
    socket.once('close', closed);
    socket.write(frames, (error) => (error == null ? resolve() : reject(error)));
    try {
      await within(promise);
    } finally {
      socket.off('close', closed);
    }
  }

  return {
    most: 100,
    async send({ alerts, test }) {
      const messages = alerts.map((alert) => syslogMessage(alert, facility, hostname(), test));
      try {
        await (way === 'udp' ? datagrams(messages) : stream(messages));
      } catch (error) {
        open?.destroy();
        throw error instanceof DeliveryError ? error : new DeliveryError((error as Error).message);
      }
    },
    close: () => void open?.destroy(),
  };
}
