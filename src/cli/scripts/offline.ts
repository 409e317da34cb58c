/** Scripts of folders where nothing runs: loaded as a run would load them, and then let go. Called by `flowpatrol scripts`. */
import type { Config } from '../../config.ts';
import { namesOf } from '../../dpi/names.ts';
import { native } from '../../native.ts';
import { DEFAULT_PREFERENCES } from '../../preferences.ts';
import { createScriptCache } from '../../scripts/cache.ts';
import { createScriptFiles } from '../../scripts/files.ts';
import { createScriptHost } from '../../scripts/host.ts';
import { loadLocales } from '../../scripts/locales.ts';
import type { ScriptReport, ScriptSwitch } from '../../scripts/report.ts';

/** @param note takes a sentence about a folder that cannot be read. @returns how they would stand */
export async function loadScripts(
  config: Config,
  switches: ReadonlyMap<string, ScriptSwitch>,
  note: (line: string) => void,
): Promise<ScriptReport[]> {
  const dpi = config.dpi ? native.dpiCreate(1) : undefined;
  try {
    const own = { localNetworks: config.localNetworks, interfaceName: '', run: '', packetInterface: true, sampled: false };
    const host = await createScriptHost({
      interfaceId: 0,
      interfaceName: '',
      live: false,
      names: namesOf(native, dpi, own),
      preferences: () => DEFAULT_PREFERENCES,
      directories: config.scriptDirectories,
      cache: createScriptCache({ now: () => 0 }),
      translate: loadLocales().translator(config.language),
      sink: { alert() {}, print() {}, error() {}, changes() {}, loaded() {}, switched() {} },
    });
    for (const [key, to] of switches) host.switch(key, to);
    host.change(createScriptFiles(config.scriptDirectories, note).scan());
    const reports = host.reports();
    host.close();
    return reports;
  } finally {
    if (dpi !== undefined) native.dpiClose(dpi);
  }
}
