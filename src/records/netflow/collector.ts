/**
 * The sockets that NetFlow and IPFIX come by: a UDP socket for all, a TCP socket for IPFIX.
 *
 *   exporters ──UDP──► socket ──────────────┐
 *            └──TCP──► connection, framing ─┴──► onDatagram(address, port, bytes, arrival)  (a decoder's `datagram`)
 *
 * Opened by the thread of an interface, which turns an event loop for it.
 */
import { createSocket, type Socket } from 'node:dgram';
import { type Socket as Connection, createServer, type Server } from 'node:net';
import { COLLECTOR_COUNTERS } from './counters.ts';
import { createFraming } from './framing.ts';
import { watchKernelDrops } from './kernel-drops.ts';
import { DEFAULT_BUFFER, type Transport } from './url.ts';

const MOST_CONNECTIONS = 64;

const position = (name: (typeof COLLECTOR_COUNTERS)[number]['name']): number =>
  COLLECTOR_COUNTERS.findIndex((counter) => counter.name === name);
const DROPS = position('netflow.drops.kernel');
const CONNECTIONS = position('netflow.tcp.connections');
const REFUSED = position('netflow.tcp.refused');
const FRAMING = position('netflow.tcp.framing');
const CUT = position('netflow.tcp.cut');
const ERRORS = position('netflow.socket.errors');

/** Takes a message. @param arrival µs since 1970. The bytes are only lent. */
export type OnDatagram = (address: string, port: number, bytes: Buffer, arrival: number) => void;

export interface CollectorOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly transport?: Transport;
  /** Size wanted for the kernel's receive buffer, bytes. */
  readonly buffer?: number;
  /** One double for each of {@link COLLECTOR_COUNTERS}. */
  readonly counters: Float64Array;
  /** µs since 1970. */
  readonly now?: () => number;
  readonly log?: (line: string) => void;
}

export interface NetflowCollector {
  readonly port: number;
  /** What the kernel gives for the receive buffer, bytes; 0 without UDP. */
  readonly receiveBuffer: number;
  /** Brings the counter of kernel drops up to date. */
  measure(): void;
  close(): Promise<void>;
}

/** @throws Error (rejected promise) when an address or port cannot be had; it says what to do */
export async function openNetflowCollector(options: CollectorOptions, onDatagram: OnDatagram): Promise<NetflowCollector> {
  const { address, counters, transport = 'both', buffer = DEFAULT_BUFFER, now = () => Date.now() * 1000, log = () => {} } = options;
  const failed = (error: Error): void => {
    counters[ERRORS]++;
    log(`socket on ${address}: ${error.message}`);
  };

  let port = options.port;
  let udp: Socket | undefined;
  let receiveBuffer = 0;
  let drops: () => number | undefined = () => undefined;
  if (transport !== 'tcp') {
    udp = await bindUdp(address, port);
    port = udp.address().port;
    udp.on('error', failed);
    udp.on('message', (bytes, from) => onDatagram(plainAddress(from.address), from.port, bytes, now()));
    receiveBuffer = setBuffer(udp, buffer, log);
    drops = watchKernelDrops(port);
  }

  const connections = new Set<Connection>();
  let tcp: Server | undefined;
  if (transport !== 'udp') {
    tcp = createServer({ keepAlive: true });
    tcp.maxConnections = MOST_CONNECTIONS;
    tcp.on('drop', () => {
      counters[REFUSED]++;
    });
    tcp.on('connection', (connection) => {
      counters[CONNECTIONS]++;
      const from = plainAddress(connection.remoteAddress ?? '');
      const fromPort = connection.remotePort ?? 0;
      const framing = createFraming((bytes) => onDatagram(from, fromPort, bytes, now()));
      connection.on('data', (chunk) => {
        if (framing.push(chunk)) return;
        counters[FRAMING]++;
        log(`${from} port ${fromPort}: closed, what came by TCP is no IPFIX`);
        connection.destroy();
      });
      connection.on('error', failed);
      connection.on('close', () => {
        if (framing.pending() > 0) counters[CUT]++;
        connections.delete(connection);
      });
      connections.add(connection);
    });
    try {
      port = await listenTcp(tcp, address, port);
    } catch (error) {
      udp?.close();
      throw error;
    }
    tcp.on('error', failed);
  }

  const measure = (): void => {
    counters[DROPS] = drops() ?? counters[DROPS];
  };

  return {
    port,
    receiveBuffer,
    measure,
    async close() {
      measure();
      for (const connection of connections) connection.destroy();
      await Promise.all([udp && new Promise<void>((done) => udp.close(done)), tcp && new Promise<void>((done) => tcp.close(() => done()))]);
    },
  };
}

/** IPv4 comes to an IPv6 socket as `::ffff:192.0.2.1`. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address);

function setBuffer(socket: Socket, wanted: number, log: (line: string) => void): number {
  socket.setRecvBufferSize(wanted);
  const given = socket.getRecvBufferSize() / 2; // the kernel doubles it, for its own bookkeeping (socket(7))
  if (given < wanted) {
    log(`receive buffer: the kernel gives ${given} bytes, ${wanted} were wanted. Raise its limit: sysctl -w net.core.rmem_max=${wanted}`);
  }
  return given;
}

function bindUdp(address: string, port: number): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise((done, refuse) => {
    socket.once('error', (error) => refuse(bindError(error, address, port, 'UDP')));
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      done(socket);
    });
  });
}

function listenTcp(server: Server, address: string, port: number): Promise<number> {
  return new Promise((done, refuse) => {
    server.once('error', (error) => refuse(bindError(error, address, port, 'TCP')));
    server.listen({ host: address, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      const bound = server.address();
      done(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

function bindError(error: Error, address: string, port: number, transport: 'UDP' | 'TCP'): Error {
  const code = 'code' in error ? error.code : '';
  const advice =
    code === 'EADDRINUSE'
      ? `another program has the port. Stop it (ss -l${transport === 'UDP' ? 'u' : 't'}np names it) or take another port${transport === 'TCP' ? ', or do without TCP: ?transport=udp' : ''}`
      : code === 'EACCES'
        ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE. Take another port'
        : code === 'EADDRNOTAVAIL'
          ? 'no interface of this machine has the address. 0.0.0.0 and [::] are all of them'
          : error.message;
  return new Error(`cannot listen to ${transport} on ${address} port ${port}: ${advice}`, { cause: error });
}
