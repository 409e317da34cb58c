/** Probes on ZMQ as a source of records: reader, decoder, and what the probes say of themselves. */
import { readFileSync } from 'node:fs';
import { counterIndex } from '../../flows/counters.ts';
import type { ProbeSnapshot } from '../../patrol-types.ts';
import { ZMQ_COUNTERS } from '../../records/zmq/counters.ts';
import { createZmqDecoder, type EndpointSettings, type ProbeStatus } from '../../records/zmq/decoder.ts';
import { parseZmqEndpoints, type ZmqEndpoint } from '../../records/zmq/endpoint.ts';
import { hexForm } from '../../records/zmq/keys.ts';
import { type EndpointStatus, openZmqReader } from '../../records/zmq/reader.ts';
import { MOST_SHOWN, type OpenSource } from './source.ts';

const FIRST = counterIndex(ZMQ_COUNTERS[0].name);

const probe = ({
  source,
  messages,
  records,
  lost,
  restarts,
  lastContact,
  silentSince,
  drift,
  event,
  exporters,
}: ProbeStatus): ProbeSnapshot => {
  const { source: _, clock: __, totals, ...said } = event ?? { source };
  return {
    source,
    ...said,
    messages,
    records,
    lost,
    restarts,
    lastContact,
    ...(silentSince === undefined ? {} : { silentSince }),
    ...(drift === undefined ? {} : { drift }),
    totals: { ...totals, 'flow_collection.exporters': Object.keys(exporters).length },
  };
};

/** An endpoint from which no probe was heard. */
const unheard = ({ endpoint, address, messages, problem }: EndpointStatus): ProbeSnapshot => ({
  source: endpoint,
  ...(address === '' ? {} : { address }),
  messages,
  records: 0,
  lost: 0,
  lastContact: 0,
  ...(problem === '' ? {} : { problem }),
});

/** @throws Error that says what is wrong with the file */
function passwordOf(file: string): Uint8Array {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    throw new Error(`${file}: the password cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const end = text.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const password = end < 0 ? text : text.subarray(0, end);
  if (password.length === 0) throw new Error(`${file}: its first line, the password of --zmq-encrypt-pwd, is empty`);
  return password;
}

const settingsOf = ({ passwordFile, ignoreSampling }: ZmqEndpoint): EndpointSettings => ({
  ...(ignoreSampling && { ignoreSampling }),
  ...(passwordFile === undefined ? {} : { mask: passwordOf(passwordFile) }),
});

export const openZmq: OpenSource = async ({ name, config, thread, sink, arrived, log }) => {
  const endpoints = parseZmqEndpoints(name);
  if (config.dataDirectory === undefined && endpoints.some(({ curve }) => curve === true)) {
    throw new Error(`our key pair is kept in the data directory. Give one with -d DIR, or a secret key with ?curve=FILE`);
  }
  const counters = thread.counters.subarray(FIRST, FIRST + ZMQ_COUNTERS.length);
  let time = arrived();
  const now = (): number => time;
  const settings = new Map(endpoints.map((endpoint) => [endpoint.text, settingsOf(endpoint)]));
  const decoder = createZmqDecoder({ sink, counters, now, log, settings: (endpoint) => settings.get(endpoint) });
  /** What was said last of each endpoint. */
  const told = new Map<string, string>();
  const reader = await openZmqReader(
    {
      endpoints,
      keyDirectory: config.dataDirectory ?? '',
      counters,
      now,
      notice({ endpoint, level, text }) {
        told.set(endpoint, text);
        log[level](endpoints.length === 1 ? text : `${endpoint}: ${text}`);
      },
    },
    (endpoint, header, payload) => {
      time = arrived();
      decoder.message(endpoint, header, payload);
    },
  );
  for (const [endpoint, key] of reader.publicKeys()) {
    log.info(`public key for probes at ${endpoint}: ${key} (or, in hexadecimal, ${hexForm(key)})`);
  }

  return {
    tick(at) {
      time = at;
      for (const { endpoint, problem } of reader.status()) {
        if (problem === '' || told.get(endpoint) === problem) continue;
        told.set(endpoint, problem);
        log.warn(`${endpoint}: ${problem}`);
      }
    },
    probes() {
      const known = decoder.probes();
      const silent = reader.status().filter(({ endpoint }) => known.every((of) => of.endpoint !== endpoint));
      return [...known.map(probe), ...silent.map(unheard)];
    },
    collected() {
      const probes = decoder.probes();
      return {
        rejected: decoder.samples().map(({ reason, endpoint, time: at, header, payload, length }) => ({
          reason: `zmq.rejected.${reason}`,
          from: endpoint,
          time: at,
          header,
          bytes: payload,
          length,
        })),
        interfaces: decoder.exporters
          .interfaces()
          .slice(0, MOST_SHOWN)
          .map(({ values, ...of }) => ({ ...of, values: Object.fromEntries(values) })),
        exporters: probes
          .flatMap(({ source, exporters }) => Object.entries(exporters).map(([address, says]) => ({ probe: source, address, says })))
          .slice(0, MOST_SHOWN),
        probes: probes
          .filter(({ said }) => Object.keys(said).length > 0)
          .slice(0, MOST_SHOWN)
          .map(({ source, said }) => ({ probe: source, says: said })),
        listening: [...decoder.exporters.ports()].slice(0, MOST_SHOWN).map(([address, ports]) => ({ address, ports })),
      };
    },
    close: () => reader.close(),
  };
};
