/** What runs when nothing is asked for: the shipped capture with all callbacks, and where to go from there. */
import { join, relative } from 'node:path';
import { type Config, DEFAULT_CONFIG } from '../config.ts';
import { native } from '../native.ts';

/** Inside the project: an afternoon of SIP calls, DNS and FTP; and an SSH session over a bad line. */
export const DEMO_CAPTURES = ['test/captures/demo.pcap', 'test/captures/retransmissions.pcap'] as const;

/** @param given what was said beside */
export const demoConfig = (project: string, scriptDirectory: string, given: Config = DEFAULT_CONFIG): Config => ({
  ...given,
  interfaces: DEMO_CAPTURES.map((capture) => relative('.', join(project, capture))),
  scriptDirectories: [scriptDirectory],
  pcapCallbacks: 'all',
});

export const DEMO_GREETING = `This is the demo: ${DEMO_CAPTURES.length} real captures, with all callbacks of the scripts.`;

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
