/** Files loaded as a run would load them, and then let go: files in, how they would stand out. Called by worker.ts. */
import { DEFAULT_PREFERENCES } from '../../preferences.ts';
import { createScriptCache } from '../cache.ts';
import { createScriptHost } from '../host.ts';
import { loadLocales } from '../locales.ts';
import type { ScriptReport } from '../report.ts';
import type { Steps } from './steps.ts';
import type { LoadTask } from './watched.ts';

export async function loadFiles(
  { names, directories, language, switches, files }: LoadTask,
  { guard, running }: Steps,
): Promise<ScriptReport[]> {
  const host = await createScriptHost({
    interfaceId: 0,
    interfaceName: '',
    live: false,
    names,
    preferences: () => DEFAULT_PREFERENCES,
    directories,
    cache: createScriptCache({ now: () => 0 }),
    translate: loadLocales().translator(language),
    sink: { alert() {}, print() {}, error() {}, changes() {}, loaded() {}, switched() {} },
    guard,
    running,
  });
  for (const [key, to] of switches) host.switch(key, to);
  host.change(files);
  const reports = host.reports();
  host.close();
  return reports;
}
