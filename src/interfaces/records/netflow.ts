/** NetFlow and IPFIX as a source of records: collector, decoder, templates kept over a restart. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { counterIndex } from '../../flows/counters.ts';
import { makeFolder } from '../../folders.ts';
import type { ProbeSnapshot } from '../../patrol-types.ts';
import { openNetflowCollector } from '../../records/netflow/collector.ts';
import { COLLECTOR_COUNTERS, NETFLOW_COUNTERS } from '../../records/netflow/counters.ts';
import { createNetflowDecoder, type ExporterStatus } from '../../records/netflow/decoder.ts';
import { parseNetflowUrl } from '../../records/netflow/url.ts';
import { rejectedOf } from './rejected.ts';
import type { OpenSource } from './source.ts';

/** The decoder wants to be told of the time so often, µs. */
const TICK_US = 5_000_000;
/** Nothing came for so long, µs: exporters send templates every 30 minutes at least. */
const SILENCE_US = 1_800_000_000;
/** How often what changed is saved, µs. */
const SAVE_US = 60_000_000;

const FIRST = counterIndex(NETFLOW_COUNTERS[0].name);
const FIRST_OF_COLLECTOR = counterIndex(COLLECTOR_COUNTERS[0].name);
const VERSIONS: Readonly<Record<number, string>> = { 5: 'NetFlow v5', 9: 'NetFlow v9', 10: 'IPFIX' };

const probe = (of: ExporterStatus, now: number): ProbeSnapshot => ({
  source: `${of.address}${of.domain === 0 ? '' : `:${of.domain}`}`,
  address: of.address,
  version: VERSIONS[of.version] ?? String(of.version),
  messages: of.messages,
  records: of.records,
  lost: of.lost,
  lastContact: of.heard,
  drift: of.heard - of.sent,
  ...(now - of.heard > SILENCE_US ? { silentSince: of.heard } : {}),
  ...(of.activeTimeout > 0 ? { activeTimeout: of.activeTimeout } : {}),
  ...(of.idleTimeout > 0 ? { idleTimeout: of.idleTimeout } : {}),
  ...(of.samplingRate > 0 ? { samplingRate: of.samplingRate } : {}),
  totals: { templates: of.templates, 'waiting.bytes': of.waiting },
});

/** Text of a file that there may be; undefined without one. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

export const openNetflow: OpenSource = async ({ name, config, thread, sink, arrived, log }) => {
  const url = parseNetflowUrl(name);
  const counters = thread.counters.subarray(FIRST, FIRST + NETFLOW_COUNTERS.length);
  const decoder = createNetflowDecoder({
    sink,
    counters,
    samplingRate: url.samplingRate,
    directions: url.directions,
    log: (line) => log.warn(line),
  });

  const directory = config.dataDirectory === undefined ? undefined : join(config.dataDirectory, 'netflow');
  const file = directory && join(directory, `${encodeURIComponent(`${url.address}:${url.port}`)}.json`);
  const saved = file === undefined ? undefined : textOf(file);
  if (saved !== undefined) {
    try {
      const { exporters, templates } = decoder.restore(saved);
      log.info(`${templates} templates of ${exporters} exporters are known from the last run`);
    } catch (error) {
      log.warn(`${file} is not used, templates come again with time: ${(error as Error).message}`);
    }
  }
  let revision = decoder.revision();
  const save = (): void => {
    if (directory === undefined || file === undefined || decoder.revision() === revision) return;
    revision = decoder.revision();
    try {
      makeFolder(directory);
      writeFileSync(`${file}.new`, decoder.save());
      renameSync(`${file}.new`, file);
    } catch (error) {
      log.warn(`templates cannot be kept for the next run: ${(error as Error).message}`);
    }
  };

  const collector = await openNetflowCollector(
    {
      ...url,
      counters: thread.counters.subarray(FIRST_OF_COLLECTOR, FIRST_OF_COLLECTOR + COLLECTOR_COUNTERS.length),
      now: arrived,
      log: (line) => log.warn(line),
    },
    (address, port, bytes, arrival) => decoder.datagram(address, port, bytes, arrival),
  );
  const buffer = collector.receiveBuffer === 0 ? '' : `, receive buffer of ${collector.receiveBuffer} bytes`;
  log.info(`collecting NetFlow and IPFIX on ${url.address} port ${collector.port}${buffer}`);

  let ticked = 0;
  let savedAt = 0;
  return {
    tick(now) {
      collector.measure();
      if (now - ticked >= TICK_US) {
        ticked = now;
        decoder.tick(now);
      }
      if (now - savedAt >= SAVE_US) {
        savedAt = now;
        save();
      }
    },
    probes() {
      const now = thread.engine.clock();
      return decoder.exporters().map((of) => probe(of, now));
    },
    collected: () => ({ rejected: rejectedOf(decoder.samples()) }),
    async close() {
      await collector.close();
      save();
    },
  };
};
