/**
 * An engine over scripts given as text, and events with any fields: the values lie as JSON in the event's detail block, so
 * that they travel with the event's bytes as real fields do.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Callback, E_DETAIL, E_DETAIL_LENGTH, E_LENGTH, E_TIME, E_VERSION, EVENT_VERSION } from '../../src/flows/event.ts';
import type { Field, FieldValue } from '../../src/flows/fields.ts';
import { createEventView, type EventView, type Names } from '../../src/flows/view.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import type { ScriptCache } from '../../src/scripts/cache.ts';
import { createScriptFiles, readScript } from '../../src/scripts/files.ts';
import { createScriptHost, type FlowChange, type ScriptAlert, type ScriptHost, type ScriptHostOptions } from '../../src/scripts/host.ts';
import type { ScriptReport } from '../../src/scripts/report.ts';

/** 2019-09-30 16:00:50 UTC, µs. */
export const VISIT_TIME = 1_569_859_250_000_000;

export const NAMES: Names = {
  protocols: [],
  categories: [],
  breeds: [],
  risks: [],
  confidences: [],
  details: [],
  localNetworks: [],
  interfaceName: 'eth0',
  run: 'r1',
  packetInterface: true,
  sampled: false,
};

export type Values = Readonly<Record<string, FieldValue>>;

const JSON_AT = E_DETAIL + 16;

/** An event whose fields are `values`. */
export function eventOf(values: Values, time = VISIT_TIME): Uint8Array {
  const text = Buffer.from(JSON.stringify(values), 'utf8');
  const length = (JSON_AT + text.length + 7) & ~7;
  const bytes = new Uint8Array(length).fill(0x20, JSON_AT);
  const data = new DataView(bytes.buffer);
  data.setUint32(E_LENGTH, length, true);
  data.setUint16(E_VERSION, EVENT_VERSION, true);
  data.setFloat64(E_TIME, time, true);
  data.setUint32(E_DETAIL_LENGTH, 16 + text.length, true);
  bytes.set(text, JSON_AT);
  return bytes;
}

function valuesAt(view: EventView): Values {
  const start = view.offset() + JSON_AT;
  const data = new DataView(view.bytes().buffer, view.bytes().byteOffset);
  const end = start + data.getUint32(view.offset() + E_DETAIL_LENGTH, true) - 16;
  return JSON.parse(Buffer.from(view.bytes().subarray(start, end)).toString('utf8')) as Values;
}

/** A field that reads its value from the JSON of the event. */
export const fieldOf = (key: string, type: Field['type']): Field => ({
  key,
  type,
  doc: `test field ${key}`,
  group: 'state',
  read: (view) => valuesAt(view)[key],
});

export const FIELDS_OF_TEST: readonly Field[] = [
  fieldOf('cli.ip', 'string'),
  fieldOf('srv.ip', 'string'),
  fieldOf('cli.port', 'int'),
  fieldOf('srv.port', 'int'),
  fieldOf('bytes', 'int'),
  fieldOf('status_map', 'int'),
  fieldOf('duration', 'int'),
  fieldOf('throughput_bps', 'float'),
  fieldOf('flow.idle', 'bool'),
  fieldOf('proto.l4', 'string'),
  fieldOf('proto.ndpi', 'string'),
  fieldOf('host_server_name', 'string'),
  fieldOf('icmp', 'table'),
];

export const TYPICAL: Values = {
  'cli.ip': '192.168.1.20',
  'srv.ip': '203.0.113.7',
  'cli.port': 51514,
  'srv.port': 80,
  bytes: 2698,
  status_map: 0,
  duration: 1,
  throughput_bps: 1234.5,
  'flow.idle': false,
  'proto.l4': 'TCP',
  'proto.ndpi': 'HTTP',
};

export interface Harness {
  readonly host: ScriptHost;
  /** Stands at the last event that was run. */
  readonly view: EventView;
  /** Where the files are. */
  readonly directory: string;
  readonly alerts: ScriptAlert[];
  readonly lines: string[];
  /** `callback key: message` */
  readonly errors: string[];
  readonly changes: FlowChange[];
  /** `key on|off: reason` */
  readonly switched: string[];
  reports(): ScriptReport[];
  run(callback: Callback, values?: Values, time?: number): void;
  /** Writes a file anew, or removes it, and takes over what has changed. */
  write(name: string, text: string | undefined): void;
}

/** Writes `files` to a directory of its own and starts a host on it; all ends with the test. */
export async function start(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<ScriptHostOptions> = {},
): Promise<Harness> {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-scripts-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const alerts: ScriptAlert[] = [];
  const lines: string[] = [];
  const errors: string[] = [];
  const changes: FlowChange[] = [];
  const switched: string[] = [];
  const host = await createScriptHost({
    directories: [directory],
    interfaceId: 3,
    interfaceName: 'eth0',
    live: false,
    names: NAMES,
    preferences: () => DEFAULT_PREFERENCES,
    cache: {} as ScriptCache,
    translate: () => undefined,
    fields: FIELDS_OF_TEST,
    sink: {
      alert: (alert) => alerts.push(alert),
      print: (_, __, line) => lines.push(line),
      error: (script, callback, message) => errors.push(`${callback} ${script}: ${message}`),
      changes: (list) => changes.push(...list),
      loaded: () => undefined,
      switched: (script, on, reason) => switched.push(`${script} ${on ? 'on' : 'off'}: ${reason}`),
    },
    ...options,
  });
  host.change(createScriptFiles([directory], () => undefined).scan());
  t.after(() => {
    host.close();
    rmSync(directory, { recursive: true });
  });
  const view = createEventView(NAMES);
  return {
    host,
    view,
    directory,
    alerts,
    lines,
    errors,
    changes,
    switched,
    reports: () => host.reports(),
    run(callback, values = TYPICAL, time = VISIT_TIME) {
      view.set(eventOf(values, time), 0);
      host.run(view, callback);
    },
    write(name, text) {
      const path = join(directory, name);
      if (text === undefined) {
        rmSync(path);
        host.change([{ path }]);
      } else {
        writeFileSync(path, text);
        host.change([readScript(path)]);
      }
    },
  };
}

/** A script with one callback. */
export const script = (key: string, callback: Callback, body: string, more = ''): string => `local script = { key = "${key}" ${more} }
function script.setup() return true end
function script.${callback}(info)
${body}
end
return script
`;
