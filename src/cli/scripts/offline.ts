/** Scripts of folders where nothing runs: loaded as a run would load them, and then let go. Called by `flowpatrol scripts`. */
import type { Config } from '../../config.ts';
import { namesOf } from '../../dpi/names.ts';
import { native } from '../../native.ts';
import { createScriptFiles } from '../../scripts/files.ts';
import type { ScriptReport, ScriptSwitch } from '../../scripts/report.ts';
import { runWatched } from '../../scripts/testing/watched.ts';

/** @param note takes a sentence about a folder that cannot be read. @returns how they would stand */
export async function loadScripts(
  config: Config,
  switches: ReadonlyMap<string, ScriptSwitch>,
  note: (line: string) => void,
): Promise<ScriptReport[]> {
  const dpi = config.dpi ? native.dpiCreate(1) : undefined;
  try {
    const own = { localNetworks: config.localNetworks, interfaceName: '', run: '', packetInterface: true, sampled: false };
    const task = {
      names: namesOf(native, dpi, own),
      directories: config.scriptDirectories,
      language: config.language,
      switches,
      files: createScriptFiles(config.scriptDirectories, note).scan(),
    };
    // what is to be said of a script that does not return is its error in the reports
    return await runWatched('load', task, { item() {}, note() {} });
  } finally {
    if (dpi !== undefined) native.dpiClose(dpi);
  }
}
