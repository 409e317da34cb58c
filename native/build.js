/**
 * Builds the addon: one call of the C compiler (`CC`, else `cc`) over native/*.c. Plain JavaScript, so that set-up can run it on any Node from 20 on.
 *
 * Enters: the C files, npm's `node-api-headers`, the system's headers of libpcap and nDPI 4.2. Leaves: native/build/flowpatrol.node.
 * Called by set-up and by the tests; `node native/build.js` does the same. Skipped when sources, headers and flags are those of the last build.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const sources = ['flowpatrol.c', 'capture.c', 'stream.c', 'fanout.c', 'dpi.c'];
const headers = ['flowpatrol.h'];
const systemHeaders = ['/usr/include/ndpi/ndpi_define.h', '/usr/include/ndpi/ndpi_typedefs.h', '/usr/include/pcap/pcap.h'];

/** The folder of Node-API's headers. @throws Error when npm's package is not installed */
function nodeHeaders() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    throw new Error("The package 'node-api-headers' is missing: run `npm install` first.");
  }
}

/**
 * @returns {{ path: string, built: boolean }} the addon, and whether the compiler had to run
 * @throws {Error} with the compiler's own words
 */
export function build() {
  const compiler = process.env.CC || 'cc';
  const flags = ['-std=gnu11', '-O2', '-g', '-shared', '-fPIC', '-pthread', '-fvisibility=hidden', '-Wall', '-Wextra', '-DNAPI_VERSION=8'];
  const includes = ['-isystem', nodeHeaders()];
  const libraries = ['-lpcap', '-lndpi'];

  const hash = createHash('sha256').update(JSON.stringify([compiler, flags, includes, libraries, process.arch]));
  for (const file of [...headers, ...sources]) hash.update(readFileSync(join(folder, file)));
  // an upgrade of the system's libraries changes their headers
  for (const header of systemHeaders) if (existsSync(header)) hash.update(`${header} ${statSync(header).size} ${statSync(header).mtimeMs}`);
  const digest = hash.digest('hex');

  const output = join(folder, 'build');
  const path = join(output, 'flowpatrol.node');
  const stamp = join(output, 'flowpatrol.sha256');
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return { path, built: false };

  mkdirSync(output, { recursive: true });
  // Built aside and renamed: a process that has the old file mapped keeps it, and two builds at once do not mix.
  const fresh = join(output, `flowpatrol.${process.pid}.tmp`);
  const run = spawnSync(compiler, [...flags, ...includes, '-o', fresh, ...sources, ...libraries], { cwd: folder, encoding: 'utf8' });
  if (run.error) throw new Error(`The C compiler '${compiler}' does not start (${run.error.message}). Install gcc or clang, or set CC.`);
  if (run.status !== 0) {
    rmSync(fresh, { force: true });
    const why = run.status === null ? `was ended by ${run.signal}` : `failed with status ${run.status}`;
    const hint = /pcap|ndpi/.test(run.stderr)
      ? '\nThe development files of libpcap and nDPI 4.2 are needed (Debian: libpcap-dev libndpi-dev).'
      : '';
    throw new Error(`'${compiler}' ${why} on the addon:\n${run.stderr.trim()}${hint}`);
  }
  if (run.stderr) process.stderr.write(run.stderr);
  renameSync(fresh, path);
  writeFileSync(stamp, digest);
  return { path, built: true };
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  try {
    const { path, built } = build();
    console.log(`${path} ${built ? 'built' : 'is up to date'}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
