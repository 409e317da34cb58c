/** Files that a run reads and writes: data directory, exports, scripts, lists, geographic data. Nothing is made or changed here. */
import { accessSync, constants, existsSync, readFileSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import { checkGeoFiles } from '../../hosts/geo.ts';
import { isUrl } from '../../hosts/lists/declaration.ts';
import { createScriptFiles } from '../../scripts/files.ts';
import { bytes } from '../format.ts';
import { type Finding, hint, ok, problem } from './finding.ts';
import { readText } from './system.ts';

/** statfs(2); those where locks of SQLite depend on a server, or do not work at all. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9P',
  12805120: 'Ceph',
  1397113167: 'AFS',
  1799439955: 'AFS',
  198183888: 'Lustre',
  1702057286: 'FUSE',
};
const SPARE_BYTES = 1e9;
const LEAST_BYTES = 50e6;

/** @param type number of the file system @param free bytes that this user may still write */
export function diskFinding(directory: string, type: number, free: number): Finding {
  const what = `${directory}: ${bytes(free)} free`;
  const other = '-d DIRECTORY, on a local disk with room';
  if (free < LEAST_BYTES) return problem('data-dir', what, other);
  const network = NETWORK_FILE_SYSTEMS[type];
  if (network !== undefined) return hint('data-dir', `${what}, on ${network}: its locks may not keep a second process out`, other);
  return free < SPARE_BYTES ? hint('data-dir', what, other) : ok('data-dir', what);
}

const SQLITE_BUSY = 5;

/** Whether another process holds the lock of data-directory.ts; only looked at, so nothing in the directory changes. */
function isLocked(directory: string): boolean {
  const path = join(directory, 'flowpatrol.lock');
  if (!existsSync(path)) return false;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return true;
    throw error;
  } finally {
    database.close();
  }
}

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // ENOTDIR, EACCES: the parent says why
  }
};

const errorOf = (path: string, mode: number): string => {
  try {
    accessSync(path, mode);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
};

function dataDirectoryFinding(directory: string | undefined): Finding {
  if (directory === undefined) return ok('data-dir', 'none is given (-d): nothing is kept after the run');
  let there = directory; // or the nearest one above, in which it would be made
  while (statOf(there) === undefined && there !== dirname(there)) there = dirname(there);
  if (!statOf(there)?.isDirectory()) return problem('data-dir', `${there} is not a directory`, '-d DIRECTORY');
  const error = errorOf(there, constants.W_OK | constants.X_OK);
  if (error === 'EROFS') return problem('data-dir', `${there} is on a file system that is read only`, '-d DIRECTORY');
  if (error !== '') {
    const todo = there === directory ? `ls -ld ${there}` : `sudo install -d -o $(id -un) ${directory}`;
    return problem('data-dir', `no permission to write to ${there}`, todo);
  }
  try {
    if (isLocked(directory)) return lockedFinding(directory);
    const { type, bavail, bsize } = statfsSync(there);
    return diskFinding(there, type, bavail * bsize);
  } catch (error) {
    return problem('data-dir', `${directory} cannot be used: ${(error as Error).message}`, '-d DIRECTORY');
  }
}

function lockedFinding(directory: string): Finding {
  const pid = readText(join(directory, 'flowpatrol.pid'));
  if (pid === undefined || !existsSync(`/proc/${pid}`)) {
    return problem('data-dir', `${directory} is in use by another process`, '-d DIRECTORY, another one');
  }
  return problem('data-dir', `${directory} is in use by process ${pid}`, `kill ${pid}\nor: -d DIRECTORY, another one`);
}

/** An export is made or emptied at the start. */
function exportFinding(option: string, file: string): Finding {
  if (statOf(file)?.isDirectory()) return problem('exports', `${file} is a directory`, `${option} FILE`);
  const folder = dirname(file);
  if (statOf(folder) === undefined) return problem('exports', `${folder} does not exist`, `mkdir -p ${folder}`);
  const wanted = existsSync(file) ? file : folder;
  const error = errorOf(wanted, constants.W_OK);
  return error === ''
    ? ok('exports', `${file} can be written`)
    : problem('exports', `no permission to write to ${wanted}`, `ls -ld ${wanted}`);
}

function* exportFindings({ exportFlows, exportEvents, exportAlerts }: Config): Generator<Finding> {
  const all = { '--export-flows': exportFlows, '--export-events': exportEvents, '--export-alerts': exportAlerts };
  for (const [option, file] of Object.entries(all)) if (file !== undefined && file !== '-') yield exportFinding(option, file);
}

function* scriptFindings(config: Config): Generator<Finding> {
  if (!config.scripts) return;
  const empty: string[] = [];
  const scripts = createScriptFiles(config.scriptDirectories, (message) => empty.push(message)).scan();
  for (const message of empty) {
    const missing = config.scriptDirectories.find((directory) => message.includes(directory) && errorOf(directory, constants.R_OK) !== '');
    yield missing === undefined
      ? hint('scripts', message, '--scripts-dir DIRECTORY')
      : problem('scripts', message, '--scripts-dir DIRECTORY');
  }
  for (const { path, error } of scripts) if (error !== undefined) yield hint('scripts', error, `sudo chmod a+r ${path}`);
  const readable = scripts.filter(({ version }) => version !== undefined).length;
  if (readable > 0) yield ok('scripts', `${readable} ${readable === 1 ? 'script' : 'scripts'} in ${config.scriptDirectories.join(', ')}`);
}

function listFinding(path: string): Finding {
  const stat = statOf(path);
  if (stat === undefined) return problem('lists', `${path} does not exist`, '--blacklist FILE');
  if (stat.isDirectory()) return problem('lists', `${path} is a directory`, '--blacklist FILE');
  if (errorOf(path, constants.R_OK) !== '') return problem('lists', `no permission to read ${path}`, `sudo chmod a+r ${path}`);
  return ok('lists', `${path}: ${bytes(stat.size)}`);
}

/** As in src/hosts/geo.ts. */
const GEO_PACKAGES = ['@ip-location-db/geo-whois-asn-country-mmdb', '@ip-location-db/asn'];
const STALE_DAYS = 180;
const DAY_MS = 86_400_000;

/** @param version `2.3.2026061719`: the last number begins with the day of the data */
export function geoFinding(name: string, version: string, now: number): Finding | undefined {
  const [, year, month, day] = /\.(\d{4})(\d\d)(\d\d)\d*$/.exec(version) ?? [];
  if (day === undefined) return undefined;
  const days = Math.max(0, Math.floor((now - Date.UTC(Number(year), Number(month) - 1, Number(day))) / DAY_MS));
  const what = `${name} of ${year}-${month}-${day}`;
  return days > STALE_DAYS
    ? hint('geo', `${what} is ${days} days old: addresses move`, `npm install --save-exact ${name}@latest`)
    : ok('geo', what);
}

function* geoFindings(): Generator<Finding> {
  for (const name of GEO_PACKAGES) {
    try {
      const { version } = JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(`${name}/package.json`)), 'utf8')) as {
        version: string;
      };
      const finding = geoFinding(name, version, Date.now());
      if (finding !== undefined) yield finding;
    } catch {
      yield hint('geo', `${name} is not installed: hosts have no place or no network`, 'npm run setup');
    }
  }
}

/** A file of the user's, read to its end as a run does before its start. */
function geoFileFinding(file: string): Finding {
  try {
    checkGeoFiles([file]);
    return ok('geo', file);
  } catch (error) {
    return problem('geo', (error as Error).message, '--geo FILE');
  }
}

export function* dataChecks(config: Config): Generator<Finding> {
  yield dataDirectoryFinding(config.dataDirectory);
  yield* exportFindings(config);
  yield* scriptFindings(config);
  for (const { from } of config.lists) if (!isUrl(from)) yield listFinding(from);
  for (const file of config.geoFiles) yield geoFileFinding(file);
  yield* geoFindings();
}
