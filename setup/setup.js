/**
 * Set-up: makes a fresh clone ready to run, and does nothing when it is.
 *
 *   system packages (apt-get) ──► npm packages, Node 24 among them (npm ci) ──► the addon (cc, native/build.js)
 *                                                                          └──► the pages (Vite, web/build.js)
 *
 * Enters: the files of the clone and of the machine. Leaves: node_modules, native/build, web/dist, short lines on standard error
 * (standard output belongs to the program that runs next). Called by npm's `prestart` and `pretest`
 * (`node setup/setup.js start|test`) and by bin/flowpatrol. Plain JavaScript for any Node from 20 on.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../native/build.js';
import { pagesCurrent } from '../web/build.js';
import { NODE_MAJOR, packagesFor, plan } from './plan.js';

/** @typedef {import('./plan.js').Purpose} Purpose */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const packagedNode = join(modules, '.bin', 'node');
/** Written after `npm ci` succeeded: what it was made from. */
const stamp = join(modules, '.flowpatrol-setup');

/** A failure that its message explains in full. */
class SetupError extends Error {}

/** @param {string} text */
const say = (text) => process.stderr.write(`set-up: ${text}\n`);

/** The folders of PATH without those that npm puts in front, and with the ones of system commands. */
function systemFolders() {
  const own = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder && !folder.endsWith(join('node_modules', '.bin')));
  return [...new Set([...own, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])];
}

/** @param {string} command a name, or a path */
function commandExists(command) {
  return command.includes('/') ? existsSync(command) : systemFolders().some((folder) => existsSync(join(folder, command)));
}

const includeFolders = ['/usr/include', '/usr/local/include', ...(process.env.CPATH ?? '').split(delimiter).filter(Boolean)];

/**
 * Names of the system packages that are not there, judged by their files: asking dpkg would take longer than all the rest,
 * and would not see what was installed in another way.
 * @param {Purpose} purpose
 */
function missingPackages(purpose) {
  return packagesFor(purpose)
    .filter(({ command, header }) => {
      if (command) return !commandExists(command === 'cc' ? process.env.CC || 'cc' : command);
      return !includeFolders.some((folder) => existsSync(join(folder, header ?? '')));
    })
    .map(({ name }) => name);
}

/** @returns {'root' | 'sudo' | 'none'} */
function rights() {
  if (process.getuid?.() === 0) return 'root';
  if (!commandExists('sudo')) return 'none';
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return 'sudo';
  // sudo may ask for a password where there is somebody to type it.
  return process.stdin.isTTY && process.stderr.isTTY && !process.env.CI ? 'sudo' : 'none';
}

/** What node_modules has to be made from. */
function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform} ${process.arch}\n`;
}

/** @param {string} wanted */
function modulesCurrent(wanted) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
}

/**
 * Runs a command to its end; its output is shown only when it fails.
 * @param {string} command @param {readonly string[]} args @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} undefined when it succeeded, else its output
 */
function failureOf(command, args, env) {
  const run = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error) return `${command} does not start: ${run.error.message}`;
  return run.status === 0 ? undefined : `${run.stdout}${run.stderr}`.trim();
}

/** Whether apt-get has any list of packages yet; container images come without. */
function aptHasLists() {
  const folder = '/var/lib/apt/lists';
  return existsSync(folder) && readdirSync(folder).some((name) => /_(Packages|InRelease)(\.|$)/.test(name));
}

/** @param {readonly string[]} names @param {boolean} sudo */
function installPackages(names, sudo) {
  const settings = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  const variables = ['DEBIAN_FRONTEND=noninteractive'];
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) if (process.env[name]) variables.push(`${name}=${process.env[name]}`);
  /** @param {readonly string[]} args */
  const aptGet = (args) => {
    const command = ['env', ...variables, 'apt-get', ...settings, ...args];
    if (sudo) command.unshift('sudo');
    return failureOf(/** @type {string} */ (command[0]), command.slice(1), { ...process.env, PATH: systemFolders().join(delimiter) });
  };
  const install = ['install', '-y', '--no-install-recommends', ...names];

  say(`installing ${names.join(' ')} (apt-get)`);
  // A first try without `update`, which is the slow part; lists that are too old make it fail.
  if (aptHasLists() && aptGet(install) === undefined) return;
  say('reading the package lists (apt-get update)');
  const failure = aptGet(['update']) ?? aptGet(install);
  if (failure !== undefined) throw new SetupError(`apt-get failed:\n${failure}`);
}

/** @param {string} wanted */
function installModules(wanted) {
  say(`installing the npm packages, Node ${NODE_MAJOR} among them (npm ci)`);
  // The machine's own Node runs npm: the one in node_modules is about to be replaced. Where PATH has none, it is the one that runs now.
  const folders = systemFolders();
  if (!process.execPath.startsWith(modules)) folders.push(dirname(process.execPath));
  const env = { ...process.env, PATH: folders.join(delimiter) };
  // None of the packages needs its install scripts, so none may run. Development packages are part of a clone whatever NODE_ENV says.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const failure = failureOf('npm', args, env);
  if (failure !== undefined) throw new SetupError(`npm ci failed:\n${failure}`);
  writeFileSync(stamp, wanted);
}

/**
 * Does what is missing, in order.
 * @param {Purpose} purpose
 * @returns {string[]} the steps that were done: `packages`, `modules`, `addon`, `pages`; empty when all was there
 * @throws {SetupError} with what a person has to do
 */
export function setUp(purpose) {
  const wanted = wantedStamp();
  const missing = missingPackages(purpose);
  const decision = plan({
    missing,
    apt: missing.length > 0 && commandExists('apt-get'),
    rights: missing.length > 0 ? rights() : 'none',
    modulesCurrent: modulesCurrent(wanted),
    packagedNode: process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64'),
    machineMajor: Number.parseInt(process.versions.node, 10),
  });
  if ('problem' in decision) throw new SetupError(decision.problem);

  /** @type {string[]} */
  const done = [];
  for (const step of decision.steps) {
    if (step.step === 'packages') installPackages(step.names, step.sudo);
    else installModules(wanted);
    done.push(step.step);
  }

  // The build decides by itself whether its sources changed.
  try {
    if (build().built) {
      say('built the addon (native/build/flowpatrol.node)');
      done.push('addon');
    }
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error));
  }
  if (!pagesCurrent()) {
    // in a process of its own: it needs the Node that the sources need
    const failure = failureOf(nodePath(), [join(root, 'web', 'build.js')], process.env);
    if (failure !== undefined) throw new SetupError(`the pages could not be built:\n${failure}`);
    say('built the pages (web/dist)');
    done.push('pages');
  }
  return done;
}

/**
 * The same for a program: problems are told, not thrown.
 * @param {Purpose} purpose
 * @returns {boolean} whether all is there
 */
export function isSetUp(purpose) {
  try {
    if (setUp(purpose).length > 0) say('done');
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return false;
  }
}

/** The Node that runs the sources: npm's, else (on a processor that it is not made for) the one that runs now. */
export const nodePath = () => (existsSync(packagedNode) ? realpathSync(packagedNode) : process.execPath);

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  const purpose = process.argv[2];
  if (purpose !== 'start' && purpose !== 'test') {
    process.stderr.write('usage: node setup/setup.js start|test\n');
    process.exitCode = 2;
  } else if (!isSetUp(purpose)) {
    process.exitCode = 1;
  }
}
