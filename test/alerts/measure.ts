/** What an alert costs, µs of CPU: made in the script host, copied between threads, taken in. `node test/alerts/measure.ts` */

import { systemClock } from '../../src/alerts/clock.ts';
import { createExclusions } from '../../src/alerts/exclusions.ts';
import { compileAlertFilter } from '../../src/alerts/filter.ts';
import { createAlertIntake } from '../../src/alerts/intake.ts';
import { raisedByScript } from '../../src/alerts/raise.ts';
import { alertTranslator } from '../../src/alerts/words.ts';
import { createEventView } from '../../src/flows/view.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { openSettings } from '../../src/store/settings.ts';
import { event, NAMES } from '../support/events.ts';
import { raised, testHistory } from './support.ts';

const ROUNDS = 20_000;

function measure(what: string, rounds: number, work: (i: number) => void): void {
  for (let i = 0; i < rounds / 10; i++) work(i);
  const begun = process.cpuUsage();
  for (let i = 0; i < rounds; i++) work(i);
  const { user, system } = process.cpuUsage(begun);
  console.log(`${what.padEnd(44)} ${((user + system) / rounds).toFixed(2)} µs`);
}

const view = createEventView(NAMES);
const details = { host_server_name: 'www.example.org', 'tls.ja3_client': 'x'.repeat(32), 'tls.version': 771, 'tls.alpn': 'h2' };
view.set(event({ client: '10.0.0.1', server: '192.0.2.1', clientPort: 50_000, serverPort: 443, l4: 6, application: 'TLS', details }), 0);
const of = {
  ...{ script: 'watch', version: 'abc', callback: 'statusChanged' as const, shadow: false, reason: { bytes: 1 } },
  ...{ alertType: 3, alertTypeName: 'suspicious_activity', severity: 1, severityName: 'warning' },
};
const made = raisedByScript(of, view);
measure('made of an event', ROUNDS, () => raisedByScript(of, view));
measure('copied between threads', ROUNDS, () => structuredClone(made));

const intake = (): ReturnType<typeof createAlertIntake> =>
  createAlertIntake({
    history: testHistory(),
    exclusions: createExclusions(openSettings(undefined), systemClock),
    preferences: () => ({ ...DEFAULT_PREFERENCES, alert_host_limit: 0 }),
    translate: alertTranslator('en'),
    clock: systemClock,
    log: { error() {}, info() {} },
  });
const repeated = intake();
measure('taken in, a repetition', ROUNDS, () => repeated.raised([made], true));
const different = intake();
const all = Array.from({ length: 4000 }, (_, i) =>
  raised({ client: `10.0.${i >> 8}.${i & 255}`, of: i, flow: { ...made.flow, 'cli.ip': `10.0.${i >> 8}.${i & 255}` } }),
);
measure('taken in, a new one', 4000, (i) => different.raised([all[i % 4000] as (typeof all)[0]], true));
const filter = compileAlertFilter('severity >= error and ip == 10.0.0.0/8 and not domain == example.org');
measure('asked by a filter of three parts', ROUNDS, () => filter.matches(made));
console.log(`${JSON.stringify(made).length} characters as JSON`);
process.exit(0);
