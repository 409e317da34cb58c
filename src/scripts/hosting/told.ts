/**
 * What callbacks lead to, on its way out of the thread of a script host: alerts and lines to the main thread (and to an export), changes
 * of flows to the threads that have the flows, traces with the next report. The other end is said.ts.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RaisedFlowAlert } from '../../alerts/alert.ts';
import { systemClock } from '../../alerts/clock.ts';
import { createAlertIds } from '../../alerts/ids.ts';
import { newAlert } from '../../alerts/new-alert.ts';
import { raisedByScript } from '../../alerts/raise.ts';
import type { LineWriter } from '../../exports/lines.ts';
import type { FlowOverride } from '../../flows/overrides.ts';
import type { EventView } from '../../flows/view.ts';
import type { HostData, HostMessage } from '../../interfaces/protocol.ts';
import { ALERT_TYPES, SEVERITIES } from '../alert-types.ts';
import type { FlowChange, HostSink } from '../host.ts';
import type { Translate } from '../locales.ts';
import type { TraceEntry } from '../trace.ts';

/** Script output and script errors a second that reach the log on a live interface. */
const LOG_LINES_PER_SECOND = 50;
/** Lines and alerts of scripts that may be on their way to the main thread: beyond it the scripts wait, or the queue would grow without end. */
const MOST_LINES_UNDER_WAY = 1000;
/** Traces between two reports of a live interface; the rest is left out. */
const MOST_TRACES = 5000;

/** The alert of a script that was switched off, about the flow at which that happened. */
const SWITCHED_OFF = {
  alertType: ALERT_TYPES.find(({ name }) => name === 'user_script_calls_drops')?.id ?? 0,
  alertTypeName: 'user_script_calls_drops',
  severity: SEVERITIES.indexOf('error'),
  severityName: 'error',
} as const;

/** Passes so many calls a second; files are never limited. */
function rateLimit(perSecond: number): () => boolean {
  let second = 0;
  let used = 0;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      used = 0;
    }
    return ++used <= perSecond;
  };
}

const L4_NAMES: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

/** `[TCP] 10.0.0.1:51514 -> 10.0.0.2:80` */
function labelOf(view: EventView): string {
  const end = (address: string, port: number): string =>
    port === 0 ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return `[${L4_NAMES[view.l4()] ?? view.l4()}] ${end(view.client(), view.clientPort())} -> ${end(view.server(), view.serverPort())}`;
}

export interface Told {
  readonly sink: HostSink;
  /** An alert, of a script or of the core. */
  raise(raised: RaisedFlowAlert): void;
  /** A line that waits while too many are on their way. */
  sayLine(message: HostMessage): void;
  /** Traces since the last call. */
  takeTraces(): TraceEntry[];
  /** Lines that the log's limit, and traces that theirs left out. */
  printsDropped(): number;
  tracesDropped(): number;
}

export interface ToldOptions {
  readonly data: HostData;
  readonly live: boolean;
  readonly say: (message: HostMessage) => void;
  /** Where alerts are written to, and in which words; absent where they are not exported. */
  readonly alerts: { readonly writer: LineWriter; readonly translate: Translate } | undefined;
}

export function createTold({ data, live, say, alerts }: ToldOptions): Told {
  const linesUnderWay = new Int32Array(data.linesUnderWay);
  const passes = live ? rateLimit(LOG_LINES_PER_SECOND) : () => true;
  const nextId = createAlertIds(systemClock);
  let printsDropped = 0;
  let traces: TraceEntry[] = [];
  let tracesDropped = 0;

  function sayLine(message: HostMessage): void {
    for (;;) {
      const lines = Atomics.load(linesUnderWay, 0);
      if (lines < MOST_LINES_UNDER_WAY) break;
      Atomics.wait(linesUnderWay, 0, lines);
    }
    Atomics.add(linesUnderWay, 0, 1);
    say(message);
  }

  function raise(raised: RaisedFlowAlert): void {
    if (alerts === undefined) {
      sayLine({ type: 'alerts', alerts: [raised] });
      return;
    }
    const alert = newAlert(raised, nextId(), alerts.translate);
    if (data.alerts) sayLine({ type: 'alerts', alerts: [{ ...raised, id: alert.id }] });
    alerts.writer.write(JSON.stringify(alert));
  }

  /** Hands what a script wants of a flow to the thread that has the flow. */
  function tell({ status, score }: FlowChange, of: EventView): void {
    const seq = of.seq();
    const port = data.flows[(seq - 1) % data.flows.length] as MessagePort;
    if (status === undefined && score?.of !== 'flow') return;
    const override: FlowOverride = {
      flow: of.place(),
      seq,
      ...(status === undefined ? {} : { status }),
      ...(score === undefined ? {} : { score: score.value }),
    };
    port.postMessage(override);
  }

  const flowOf = (of: EventView | undefined): { flow?: string } => (of === undefined ? {} : { flow: of.flowId() });
  const sink: HostSink = {
    alert(alert, of) {
      if (data.alerts || alerts !== undefined) raise(raisedByScript(alert, of));
    },
    print(script, level, line, callback, of) {
      if (passes()) sayLine({ type: 'print', script, level, line, callback, ...flowOf(of) });
      else printsDropped++;
    },
    error(script, callback, message, of) {
      if (passes()) sayLine({ type: 'script-error', script, callback, message, ...flowOf(of) });
      else printsDropped++;
    },
    changes(changes, of) {
      for (const change of changes) tell(change, of);
    },
    loaded: (script, version, replaced) => say({ type: 'script-loaded', script, version, replaced }),
    switched(script, on, reason, of, callback) {
      say({ type: 'script-switched', script, on, reason });
      if (on) return;
      // nobody looks at the log: what calls no script any more is an alert
      const info = JSON.stringify({ switched_off: reason });
      sink.alert(
        { ...SWITCHED_OFF, script, version: '', callback, shadow: false, info: Buffer.from(info).toString('latin1'), reason: {} },
        of,
      );
    },
    trace(callback, scripts, of) {
      if (data.config.recordTo !== undefined) return; // they are in there
      if (live && traces.length >= MOST_TRACES) {
        tracesDropped++;
        return;
      }
      traces.push({
        flow: of.flowId(),
        label: labelOf(of),
        visit: of.visit(),
        time: of.time(),
        callback,
        statusBefore: of.statusBefore(),
        status: of.status(),
        scripts,
      });
    },
  };

  return {
    sink,
    raise,
    sayLine,
    takeTraces() {
      const taken = traces;
      traces = [];
      return taken;
    },
    printsDropped: () => printsDropped,
    tracesDropped: () => tracesDropped,
  };
}
