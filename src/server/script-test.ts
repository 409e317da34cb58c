/**
 * What a script would raise on a capture: the two run alone, as in a run with all callbacks, and what comes of it is told to nobody.
 *
 *   script, capture ──► patrol of its own ──► alerts, lines that the script says, calls
 */
import { CORE, type RaisedFlowAlert } from '../alerts/alert.ts';
import { noAlerts } from '../alerts/counters.ts';
import { wordsOf } from '../alerts/words.ts';
import type { Config } from '../config.ts';
import { createPatrol } from '../patrol.ts';
import type { Log, ScriptSnapshot } from '../patrol-types.ts';
import type { Translate } from '../scripts/locales.ts';

/** Those that are told; all are counted. */
const MOST_ALERTS = 1000;
const MOST_LINES = 1000;

export interface TestedAlert extends RaisedFlowAlert {
  readonly title: string;
  readonly description: string;
}

export interface ScriptTest {
  readonly alerts: readonly TestedAlert[];
  /** Also those that are not told. */
  readonly raised: number;
  /** What it printed, and its failures. */
  readonly lines: readonly string[];
  readonly stats: ScriptSnapshot['stats'];
  /** Why the script could not be loaded, or the capture not be read. */
  readonly error?: string;
  readonly flows: number;
}

/**
 * @param script absolute path of its file
 * @param config of the run; exports and what is about packets are left out
 */
export async function testScript(script: string, capture: string, config: Config, translate: Translate): Promise<ScriptTest> {
  const alerts: TestedAlert[] = [];
  const lines: string[] = [];
  const said: string[] = [];
  let raised = 0;
  const keep = (fields: object, message: string): void => {
    if (!('script' in fields)) said.push(message);
    else if (lines.length < MOST_LINES) lines.push(message);
  };
  const log: Log = { debug: () => {}, info: keep, warn: keep, error: keep };
  const { exportFlows: _f, exportEvents: _e, exportAlerts: _a, flowQuery: _q, recordTo: _r, dataDirectory: _d, ...rest } = config;
  const patrol = createPatrol(
    {
      ...rest,
      interfaces: [capture],
      filter: '',
      originalSpeed: false,
      pcapCallbacks: 'all',
      idsAlerts: [],
      resolveNames: false,
      scripts: true,
      scriptDirectories: [script],
    },
    log,
    () => 'pcap',
    {
      alerts: {
        raised(found) {
          for (const alert of found) {
            if (alert.script === CORE) continue;
            raised++;
            if (alerts.length < MOST_ALERTS) alerts.push({ ...alert, interface: '', ...wordsOf(alert, translate) });
          }
          return undefined;
        },
        counters: noAlerts,
        flush: async () => {},
      },
    },
  );
  await patrol.start();
  await patrol.done;
  const { interfaces, scripts } = patrol.snapshot();
  const report = scripts.find((each) => each.path === script);
  const failed = interfaces.find((each) => each.state === 'failed')?.error?.replaceAll(capture, 'the capture');
  const error = failed ?? report?.error ?? (report === undefined ? said.join('; ') : undefined);
  return {
    alerts,
    raised,
    lines,
    stats: report?.stats ?? {},
    ...(error === undefined ? {} : { error }),
    flows: interfaces.reduce((sum, { counters }) => sum + (counters['flows.created'] ?? 0), 0),
  };
}
