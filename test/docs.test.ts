import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { staleOutputs } from '../docs/generate.ts';
import { E_RECORD } from '../src/flows/event.ts';
import { flowLine } from '../src/flows/export.ts';
import { fieldByKey } from '../src/flows/fields.ts';
import { RECORD_BYTES } from '../src/flows/record.ts';
import { createEventView } from '../src/flows/view.ts';
import { DETAILS, event, NAMES } from './support/events.ts';
import { CAPTURES, captureNames } from './support/golden.ts';
import { exportCapture } from './support/run-capture.ts';

test('what is made from the code is up to date', () => {
  assert.deepEqual(staleOutputs(), []);
});

test('docs/generate.ts --check agrees', () => {
  const run = spawnSync(process.execPath, [fileURLToPath(new URL('../docs/generate.ts', import.meta.url)), '--check'], {
    encoding: 'utf8',
  });
  assert.equal(run.stderr, '');
  assert.equal(run.status, 0);
});

test('NOTICE names every package that this one depends on, and what is built into zeromq', () => {
  const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  const notice = read('NOTICE').split(/[\s,;()]+/);
  const needed = ['package.json', 'web/package.json'].flatMap((path) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(path)) as Record<string, object | undefined>;
    return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  });
  const missing = [...needed, 'libzmq', 'libsodium', 'node-addon-api', 'cmake-ts'].filter((name) => !notice.includes(name));
  assert.deepEqual(missing, []);
});

describe('the JSON schema of flow lines', () => {
  const schema = JSON.parse(readFileSync(new URL('../docs/reference/flow.schema.json', import.meta.url), 'utf8')) as object;
  const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);
  const check = (line: string): void => {
    const flow = JSON.parse(line) as Record<string, unknown>;
    if (!validate(flow)) assert.fail(`${JSON.stringify(validate.errors)}\n${line}`);
    for (const key of Object.keys(flow)) assert.ok(fieldByKey.has(key), `${key} is not declared`);
  };

  for (const capture of captureNames()) {
    test(`holds for the flows of ${capture}`, () => {
      for (const line of exportCapture(`${CAPTURES}${capture}`).flows) check(line);
    });
  }

  test('holds whatever the record and the details are', () => {
    const numbers = ['entropy', 'tls.version', 'tls.not_after', 'dns.query_type', 'http.return_code'];
    const detail = (name: string): fc.Arbitrary<string | number> => (numbers.includes(name) ? fc.double() : fc.string());
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: RECORD_BYTES, maxLength: RECORD_BYTES }),
        fc.record(Object.fromEntries(DETAILS.map((name) => [name, detail(name)])), { requiredKeys: [] }),
        fc.constantFrom('HTTP', 'DNS', 'TLS', 'SSH', 'DHCP', 'ICMP'),
        (record, details, application) => {
          const bytes = event({ application, details, risks: [1, 63] });
          bytes.set(record, E_RECORD);
          const view = createEventView(NAMES);
          view.set(bytes, 0);
          check(flowLine(view));
        },
      ),
    );
  });

  test('refuses a flow that lacks a key, or has one of another type', () => {
    const view = createEventView(NAMES);
    view.set(event({}), 0);
    const flow = JSON.parse(flowLine(view)) as Record<string, unknown>;
    assert.equal(validate({ ...flow, bytes: 1.5 }), false);
    assert.equal(validate({ ...flow, tos: { client: { DSCP: 0, ECN: 0 } } }), false);
    const { bytes, ...without } = flow;
    assert.equal(bytes, 0);
    assert.equal(validate(without), false);
  });
});
