/**
 * `flowpatrol doctor`: would a run with these options work, and work well, on this machine? Each check is a sentence, and a command
 * or an option where something is to be done. It looks only: nothing is installed, switched or written.
 *
 * Enters: the options. Leaves: findings, one after another. Called by main.ts. What each check means stands in docs/guides/doctor.md.
 * The checks are in doctor/, one file a subject: what reads the machine there is thin, what judges it is a function of texts and numbers.
 */
import type { Config } from '../config.ts';
import { clockChecks } from './doctor/clock.ts';
import { dataChecks } from './doctor/data.ts';
import type { Finding } from './doctor/finding.ts';
import { inputsOf } from './doctor/inputs.ts';
import { interfaceChecks } from './doctor/interface.ts';
import { machineChecks } from './doctor/machine.ts';
import { loadAddon, nodeFinding, programChecks } from './doctor/program.ts';
import { type Appearance, findingLines, summaryLine } from './doctor/report.ts';
import { rightsChecks } from './doctor/rights.ts';

export interface DoctorOptions extends Appearance {
  /** An array of findings instead of lines. */
  readonly json: boolean;
}

/** Without interfaces in `config` it looks at those that are up. */
export async function* checks(config: Config): AsyncGenerator<Finding> {
  yield nodeFinding(process.version, process.platform, process.arch);
  const { native, finding } = await loadAddon();
  yield finding;
  const inputs = inputsOf(config, native);
  yield* programChecks(native, inputs);
  yield* rightsChecks(inputs);
  const patient = { config, inputs, native };
  yield* interfaceChecks(patient);
  yield* machineChecks(patient);
  yield* clockChecks();
  yield* dataChecks(config);
}

/**
 * @param write takes whole lines with their ends, for standard output
 * @returns the exit code: 1 when something prevents the run, else 0
 */
export async function doctor(config: Config, write: (text: string) => void, options: DoctorOptions): Promise<number> {
  const findings: Finding[] = [];
  for await (const finding of checks(config)) {
    findings.push(finding);
    if (!options.json) write(`${findingLines(finding, options).join('\n')}\n`);
  }
  write(options.json ? `${JSON.stringify(findings, null, 2)}\n` : `\n${summaryLine(findings, options)}\n`);
  return findings.some(({ level }) => level === 'problem') ? 1 : 0;
}
