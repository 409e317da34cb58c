/** The program itself: Node, the addon, libpcap, nDPI, gzip. */

import { NODE_MAJOR } from '../../../setup/plan.js';
import type { Native } from '../../native.ts';
import { type Finding, hint, ok, problem } from './finding.ts';
import type { Inputs } from './inputs.ts';
import { type Answer, ask } from './system.ts';

/** For these two npm has a Node, and the tests run. */
const PROCESSORS = ['x64', 'arm64'];

/** @param version as `process.version` */
export function nodeFinding(version: string, platform: string, processor: string): Finding {
  const what = `Node ${version} on ${platform} ${processor}`;
  if (Number.parseInt(version.slice(1), 10) < NODE_MAJOR)
    return problem('node', `${what}: ${NODE_MAJOR} or newer is needed`, 'npm run setup');
  if (platform !== 'linux') return hint('node', `${what}: only Linux is tested`, '');
  if (!PROCESSORS.includes(processor)) return hint('node', `${what}: only ${PROCESSORS.join(' and ')} are tested`, '');
  return ok('node', what);
}

/** @param error what loading it threw */
export function addonFinding(error: unknown): Finding {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'MODULE_NOT_FOUND') return problem('addon', 'the addon is not built', 'npm run setup');
  // after an upgrade of the libraries alone set-up would find the headers unchanged
  return problem('addon', `the addon cannot be loaded: ${message.split('\n')[0]}`, REBUILD);
}

const REBUILD = 'rm -r native/build; npm run setup';

/** Loads the addon for all later checks. */
export async function loadAddon(): Promise<{ native: Native | undefined; finding: Finding }> {
  try {
    const { native } = await import('../../native.ts');
    return { native, finding: ok('addon', 'the addon is built and loads') };
  } catch (error) {
    return { native: undefined, finding: addonFinding(error) };
  }
}

/** Creates a detection module as a run does: only then nDPI is compared with the one that the addon was built for. */
function ndpiFinding(native: Native): Finding {
  try {
    const dpi = native.dpiCreate(1);
    const protocols = native.dpiProtocols(dpi).length;
    native.dpiClose(dpi);
    return ok('ndpi', `nDPI ${native.dpiVersion()}, ${protocols} protocols`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return problem('ndpi', message, code === 'ENDPI' ? REBUILD : '--no-dpi');
  }
}

/** @param answer to `gzip --version` */
export function gzipFinding(answer: Answer, files: readonly string[]): Finding {
  if (answer.state === 'answered') return ok('gzip', `${answer.text.split('\n')[0]} for compressed captures`);
  const compressed = files.find((name) => name.endsWith('.gz'));
  const todo = 'sudo apt-get install gzip';
  return compressed === undefined
    ? hint('gzip', 'there is no gzip: compressed captures cannot be read', todo)
    : problem('gzip', `there is no gzip, ${compressed} cannot be read`, todo);
}

export async function* programChecks(native: Native | undefined, inputs: Inputs): AsyncGenerator<Finding> {
  if (native !== undefined) {
    yield ok('libpcap', native.pcapVersion());
    yield ndpiFinding(native);
  }
  yield gzipFinding(await ask('gzip', '--version'), inputs.files);
}
