/** What runs when nothing is asked for: shipped captures with all callbacks, and where to go from there. */
import { join, relative } from 'node:path';
import { type Config, DEFAULT_CONFIG } from '../config.ts';
import { native } from '../native.ts';

/** Inside the project: an afternoon of SIP calls, DNS and FTP; and an SSH session over a bad line. */
const REAL_CAPTURES = ['test/captures/demo.pcap', 'test/captures/retransmissions.pcap'];

/** Of the examples' tests, for alerts of other kinds. Not all of them: each is an interface with threads of its own, half a second of CPU. */
const EXAMPLE_CAPTURES = ['port_scan', 'clear_text_login', 'tls_certificates'].map(
  (name) => `scripts/callbacks/interface/alerts/flow/tests/${name}.pcap`,
);

/** @param given what was said beside */
export const demoConfig = (project: string, scriptDirectory: string, given: Config = DEFAULT_CONFIG): Config => ({
  ...given,
  interfaces: [...REAL_CAPTURES, ...EXAMPLE_CAPTURES].map((capture) => relative('.', join(project, capture))),
  scriptDirectories: [scriptDirectory],
  pcapCallbacks: 'all',
});

export const DEMO_GREETING = `This is the demo: ${REAL_CAPTURES.length} real captures and ${EXAMPLE_CAPTURES.length} made for the example scripts, with all their callbacks.`;

/** @param program how the user calls us */
export function whatNext(program: string): string[] {
  const live = native.pcapInterfaces().find((of) => of.up && of.running && !of.loopback && of.addresses.length > 0)?.name ?? 'eth0';
  const examples = [
    ['-i FILE --pcap-callbacks all', 'a capture of yours'],
    [`-i ${live} --export-alerts alerts.jsonl`, 'live, alerts into a file'],
    ['help', 'all options'],
  ] as const;
  const width = Math.max(...examples.map(([args]) => args.length));
  return ['Try next:', ...examples.map(([args, what]) => `  ${program} ${args.padEnd(width)}  # ${what}`)];
}
