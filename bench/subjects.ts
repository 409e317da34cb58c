/**
 * Who is measured, by which command. The order is the order of the report. Called by run.ts.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildC } from './processes.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** The program itself, as the launcher starts it: the launcher's look at the set-up is not measured. */
const flowpatrol = [process.execPath, join(here, '..', 'src', 'cli', 'main.ts')];

/** Room for every flow of the largest capture, in our table and in C. */
const MAX_FLOWS = '1000000';

export interface Subject {
  readonly id: string;
  readonly about: string;
  readonly command: (file: string) => string[];
  /** Ours: its start costs something, and its summary must name the packets it was given. */
  readonly ours: boolean;
  /** Its peak memory is compared per flow. */
  readonly keepsFlows: boolean;
}

const ours = (id: string, about: string, options: readonly string[]): Subject => ({
  id,
  about,
  command: (file) => [...flowpatrol, '-i', file, '--max-flows', MAX_FLOWS, ...options, '--shutdown-when-done'],
  ours: true,
  keepsFlows: true,
});

const whole = (dpiPackets: string): string[] => [
  '--scripts-dir',
  join(here, 'scripts'),
  '--pcap-callbacks',
  'all',
  '--dpi-packets',
  dpiPackets,
];

export const SUBJECTS: readonly Subject[] = [
  {
    id: 'floor',
    about: 'libpcap reads, each packet touched (C)',
    command: (file) => [buildC('floor'), file],
    ours: false,
    keepsFlows: false,
  },
  {
    id: 'limit',
    about: 'flow table and visits in C with prefetch',
    command: (file) => [buildC('limit'), file, MAX_FLOWS],
    ours: false,
    keepsFlows: true,
  },
  {
    id: 'limit-dpi',
    about: 'the same and detection of 12 packets, in C',
    command: (file) => [buildC('limit-dpi'), file, MAX_FLOWS],
    ours: false,
    keepsFlows: true,
  },
  ours('no-dpi', 'flowpatrol, no detection, no scripts', ['--no-dpi', '--no-scripts']),
  ours('dpi-12', 'flowpatrol, detection of 12 packets, one script', whole('12')),
  ours('dpi-80-24', 'flowpatrol, detection of 80 TCP, 24 UDP packets, one script', whole('tcp:80,udp:24')),
  {
    id: 'ndpiReader',
    about: 'ndpiReader -q (80 TCP, 24 UDP packets)',
    command: (file) => ['ndpiReader', '-q', '-i', file],
    ours: false,
    keepsFlows: true,
  },
];
