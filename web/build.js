/**
 * Builds the pages: web/src ──Vite──► web/dist, which the server serves as it is. Plain JavaScript, so that set-up can ask on any Node
 * whether there is something to do; the build itself needs the Node of node_modules, as it reads sources of flowpatrol.
 *
 * Enters: web/, the sources of src/ that pages import, package-lock.json. Leaves: web/dist, and beside it a list of all that it was made
 * from, with hashes: it is built again when one of them changes. Called by set-up and by the tests; `node web/build.js` does the same.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const root = dirname(folder);
export const PAGES = join(folder, 'dist');
const STAMP = join(folder, 'dist.inputs.json');
/** Facts of the program that pages need as values; see {@link facts}. */
const FACTS = ['src/flows/selection.ts'];

/** @param {string} path */
const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Files below web/ that are sources. @returns {string[]} paths from the root */
function ownFiles() {
  const own = ['web/build.js', 'web/index.html', 'web/tsconfig.json'];
  for (const part of ['public', 'src']) {
    for (const name of readdirSync(join(folder, part), { encoding: 'utf8', recursive: true })) {
      const path = join(folder, part, name);
      if (statSync(path).isFile()) own.push(relative(root, path));
    }
  }
  return own.sort();
}

/** @param {Iterable<string>} files paths from the root */
const hashesOf = (files) =>
  Object.fromEntries([...new Set(files)].sort().map((file) => [file, existsSync(join(root, file)) ? hashOf(join(root, file)) : '']));

/** Are the pages those that the sources would give? */
export function pagesCurrent() {
  if (!existsSync(PAGES) || !existsSync(STAMP)) return false;
  /** @type {Record<string, string>} */
  const before = JSON.parse(readFileSync(STAMP, 'utf8'));
  const now = hashesOf([...Object.keys(before), ...ownFiles()]);
  return JSON.stringify(before) === JSON.stringify(now);
}

/** Values that are declared in the program and needed in pages. */
async function facts() {
  const { MOST_FLOWS } = await import('../src/flows/selection.ts');
  return { MOST_FLOWS: JSON.stringify(MOST_FLOWS) };
}

/** Builds aside and renames, so that nobody is served a half. @throws {Error} what Vite says */
export async function buildPages() {
  const [{ build }, { svelte }] = await Promise.all([import('vite'), import('@sveltejs/vite-plugin-svelte')]);
  const fresh = `${PAGES}.${process.pid}.tmp`;
  /** @type {Set<string>} */
  const modules = new Set();
  await build({
    configFile: false,
    root: folder,
    base: '/',
    logLevel: 'warn',
    define: await facts(),
    plugins: [
      svelte({ configFile: false, compilerOptions: { runes: true } }),
      {
        name: 'inputs',
        generateBundle() {
          for (const id of this.getModuleIds()) modules.add(/** @type {string} */ (id.split('?')[0]));
        },
      },
    ],
    worker: { format: 'es' },
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  });
  const imported = [...modules]
    .filter((path) => path.startsWith(root) && !path.includes('/node_modules/') && existsSync(path))
    .map((path) => relative(root, path));
  const inputs = hashesOf([...imported, ...ownFiles(), ...FACTS, 'package-lock.json']);
  rmSync(PAGES, { recursive: true, force: true });
  renameSync(fresh, PAGES);
  writeFileSync(STAMP, JSON.stringify(inputs));
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url)) && !pagesCurrent())
  await buildPages();
