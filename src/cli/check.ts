/**
 * Looks at what the options name before anything starts: are the interfaces there, can they be opened, are the files captures,
 * does the filter compile. Each is opened as the run will open it, so what can be found out now is one clear error now.
 */
import { accessSync, constants, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { readDevices } from '../hosts/devices.ts';
import { checkGeoFiles } from '../hosts/geo.ts';
import { isUrl } from '../hosts/lists/declaration.ts';
import { createPools } from '../hosts/pools.ts';
import { createSteadyClock } from '../interfaces/live/clock.ts';
import { openLive } from '../interfaces/live/source.ts';
import { openFile } from '../interfaces/pcap/source.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import { native } from '../native.ts';
import { nearest } from '../nearest.ts';
import { isNetflowUrl, parseNetflowUrl } from '../records/netflow/url.ts';
import { parseSflowUrl } from '../records/sflow/url.ts';
import { isZmqInterface, parseZmqEndpoints } from '../records/zmq/endpoint.ts';
import { checkIdsSources } from './check-ids.ts';
import { type CommandError, runError, usageError } from './errors.ts';

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** How to let this process capture, as a command to type. */
export function permissionHint(): string {
  const node = realpathSync(process.execPath);
  return `allow it once: sudo setcap cap_net_raw=ep ${node}\nor run it as root: sudo ${node} ${process.argv.slice(1).join(' ')}`;
}

/** An error of the addon or the system, as an error of the command line. */
export function openingError(name: string, error: unknown): CommandError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EPERM':
      return runError(`no permission to capture on ${name}`, permissionHint());
    case 'EFILTER':
      return usageError(`-B: ${message}`, 'filters look like: tcp port 443, host 192.0.2.1, not arp (see pcap-filter(7))');
    case 'EACCES':
      return runError(`no permission to read ${name}`, `ls -l ${name} shows who may; or: sudo chmod a+r ${name}`);
    case 'ENETDOWN':
      return runError(`the interface ${name} is down`, `sudo ip link set ${name} up`);
    default:
      return runError(`${name} cannot be opened: ${message}`);
  }
}

/** Collectors, by the scheme of their address. It is looked at here; the run opens the sockets. */
function collectorKind(name: string): InterfaceKind | undefined {
  try {
    if (isZmqInterface(name)) {
      parseZmqEndpoints(name);
      return 'zmq';
    }
    if (isNetflowUrl(name)) {
      parseNetflowUrl(name);
      return 'netflow';
    }
    if (!name.startsWith('sflow://')) return undefined;
    parseSflowUrl(name);
    return 'sflow';
  } catch (error) {
    throw usageError(`-i ${(error as Error).message}`);
  }
}

/** Decides what a name is. A network interface of that name comes first; a file can be given as ./NAME. */
function kindOf(name: string, interfaces: readonly string[]): InterfaceKind {
  if (name === '-') return 'pcap';
  if (interfaces.includes(name)) return 'packet';
  const collector = collectorKind(name);
  if (collector !== undefined) return collector;
  if (/^(udp|view):/.test(name))
    throw usageError(`-i ${name}: there is no such input`, 'netflow://0.0.0.0:2055, sflow://0.0.0.0:6343, tcp://PROBE:5556');
  const stat = statOf(name);
  if (stat?.isDirectory())
    throw usageError(`-i ${name}: that is a directory`, `give its captures one by one: -i ${join(name, 'FILE')} -i …`);
  if (stat !== undefined) return 'pcap';
  if (/[/.]/.test(name)) throw usageError(`-i ${name}: no such file`, similarFile(name));
  const near = nearest(name, interfaces);
  throw usageError(
    `-i ${name}: no network interface and no file has this name`,
    near === undefined ? 'flowpatrol interfaces lists the interfaces' : `did you mean -i ${near}?`,
  );
}

/** The file of its folder that was probably meant. */
export function similarFile(path: string): string {
  try {
    const near = nearest(basename(path), readdirSync(dirname(path)));
    return near === undefined ? '' : `did you mean ${join(dirname(path), near)}?`;
  } catch {
    return `the directory ${dirname(path)} is not there either`;
  }
}

/** Opens and closes what can be opened twice: network interfaces and regular files. */
function tryToOpen(name: string, kind: InterfaceKind, config: Config): void {
  try {
    if (kind === 'packet') openLive(name, config, createSteadyClock()).close();
    else if (kind === 'pcap' && statOf(name)?.isFile()) openFile(name, config.filter).close();
  } catch (error) {
    throw openingError(name, error);
  }
}

function checkReadable(path: string, option: string, wanted: 'file' | 'directory'): void {
  const stat = statOf(path);
  if (stat === undefined) throw usageError(`${option}: ${path} does not exist`, similarFile(path));
  if (stat.isDirectory() !== (wanted === 'directory'))
    throw usageError(`${option}: ${path} is ${wanted === 'file' ? 'a directory' : 'not a directory'}`);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw runError(`${option}: no permission to read ${path}`);
  }
}

/** An export empties its file: it must be one, and none of those that are read. */
function checkExport(file: string | undefined, option: string, read: readonly string[]): void {
  if (file === undefined || file === '-') return;
  const stat = statOf(file);
  if (stat?.isDirectory()) throw usageError(`${option}: ${file} is a directory`);
  if (statOf(dirname(file)) === undefined) throw usageError(`${option}: the directory ${dirname(file)} does not exist`);
  const same =
    stat === undefined
      ? undefined
      : read.find((path) => {
          const other = statOf(path);
          return other?.ino === stat.ino && other.dev === stat.dev;
        });
  if (same !== undefined) throw usageError(`${option}: ${file} is read by this run, it would be overwritten`);
}

/** Reads them once, so that what is wrong in them is an error now. */
function checkHostFiles({ geoFiles, hostPools, devicePolicy }: Config): void {
  const attempt = (option: string, read: () => void): void => {
    try {
      read();
    } catch (error) {
      throw usageError(`${option}: ${(error as Error).message}`);
    }
  };
  for (const file of geoFiles) checkReadable(file, '--geo', 'file');
  attempt('--geo', () => checkGeoFiles(geoFiles));
  if (hostPools !== undefined) {
    checkReadable(hostPools, '--host-pools', 'file');
    attempt('--host-pools', () => createPools(readFileSync(hostPools, 'utf8'), hostPools));
  }
  if (devicePolicy !== undefined) {
    checkReadable(devicePolicy, '--device-policy', 'file');
    attempt('--device-policy', () => readDevices(readFileSync(devicePolicy, 'utf8'), devicePolicy));
  }
}

/**
 * @returns what each of `config.interfaces` is
 * @throws CommandError
 */
export function checkConfig(config: Config): (name: string) => InterfaceKind {
  const interfaces = native.pcapInterfaces().map((of) => of.name);
  const kinds = new Map(config.interfaces.map((name) => [name, kindOf(name, interfaces)]));
  const files = [...kinds].filter(([name, kind]) => kind === 'pcap' && name !== '-').map(([name]) => name);
  const live = [...kinds].find(([, kind]) => kind !== 'pcap');
  const captured = [...kinds].find(([, kind]) => kind === 'packet');
  if (config.originalSpeed && live !== undefined) {
    throw usageError(
      `--original-speed is for captures, but -i ${live[0]} is a ${live[1] === 'packet' ? 'network interface' : 'collector'}`,
      live[1] === 'packet' ? `a file of that name: -i ./${live[0]}` : 'leave it out',
    );
  }
  if (config.captureThreads > 1 && captured === undefined) {
    throw usageError('--capture-threads is for network interfaces: a capture is read by one thread', 'leave it out');
  }
  if (config.originalSpeed && config.idsAlerts.length > 0) {
    throw usageError('--ids-alerts: with --original-speed packets get the time of day, which no alert has', 'leave out --original-speed');
  }
  const lists = config.lists.map((list) => list.from).filter((from) => !isUrl(from));
  for (const file of lists) checkReadable(file, '--blacklist, --list', 'file');
  checkHostFiles(config);
  checkIdsSources(config.idsAlerts, live !== undefined);
  if (config.scripts) for (const directory of config.scriptDirectories) checkReadable(directory, '--scripts-dir', 'directory');
  for (const [file, option] of [
    [config.passwordFile, '--password-file'],
    [config.tls?.cert, '--tls-cert'],
    [config.tls?.key, '--tls-key'],
  ] as const)
    if (file !== undefined) checkReadable(file, option, 'file');
  const settings = [config.hostPools, config.devicePolicy].filter((file) => file !== undefined);
  const read = [...files, ...lists, ...config.geoFiles, ...settings];
  checkExport(config.exportFlows, '--export-flows', read);
  checkExport(config.exportEvents, '--export-events', read);
  checkExport(config.exportAlerts, '--export-alerts', read);
  for (const [name, kind] of kinds) tryToOpen(name, kind, config);
  return (name) => kinds.get(name) as InterfaceKind;
}
