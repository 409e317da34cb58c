/** `flowpatrol scripts new`: a script to begin with, every part of it with a comment. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config.ts';
import { FolderError, makeFolder } from '../../folders.ts';
import { settings } from '../../scripts/lua/library/stubs.ts';
import { runError, usageError } from '../errors.ts';

/** What Lua scripts find, for editors. */
const TYPES_FOLDER = fileURLToPath(new URL('../../../types', import.meta.url));

const lua = (key: string): string => `--
-- ${key}: what it looks for, and why.
--
-- Try it on a capture, then keep what it does as its test:
--   flowpatrol test ${key}.lua CAPTURE.pcap
--   flowpatrol test ${key}.lua CAPTURE.pcap --update
-- A capture at tests/${key}.pcap beside this file is taken without being named.
--
local alerts_api = require("alerts_api")
local alert_consts = require("alert_consts")

-- These variables live as long as this version of the script: use them to remember what other flows did.
local seen = {}

---@type flowpatrol.Script
local script = {
   -- Unique among all scripts.
   key = "${key}",

   -- Title and description, as lists show them: a text, or the key of a translation.
   gui = {
      i18n_title = "${key}",
      i18n_description = "What it looks for",
      input_builder = alerts_api.flow_checkbox_input_builder,
   },

   -- Optional: only these flows, so that nothing is spent on the others.
   -- l4_proto = "tcp",
   -- l7_proto = "DNS",
   -- three_way_handshake_ok = true,
}

-- Called once when the script is loaded. false switches it off.
function script.setup()
   return true
end

-- Four callbacks; delete those that you do not need. \`info\` has every field of the flow: docs/reference/flow-info.md

-- Once for a flow: its protocol and the details of it are known.
function script.protocolDetected(info)
   if info["proto.ndpi"] == "Telnet" and not seen[info["cli.ip"]] then
      seen[info["cli.ip"]] = true
      alerts_api.storeFlowAlert(
         alert_consts.alert_types.potentially_dangerous_protocol,
         alert_consts.alert_severities.warning,
         { client = info["cli.ip"], server = info["srv.ip"] }
      )
   end
end

-- The flow's statuses are not those of the visit before.
function script.statusChanged(info)
end

-- Every five minutes for a flow that lives long. \`*.last\` is what came since the visit before.
function script.periodicUpdate(info)
end

-- Once at the end of the flow: final numbers.
function script.idle(info)
end

return script
`;

const typescript = (key: string): string => `/**
 * ${key}: what it looks for, and why.
 *
 * Try it on a capture, then keep what it does as its test:
 *   flowpatrol test ${key}.ts CAPTURE.pcap
 *   flowpatrol test ${key}.ts CAPTURE.pcap --update
 * A capture at tests/${key}.pcap beside this file is taken without being named.
 */
import { defineScript } from 'flowpatrol';

// These variables live as long as this version of the script: use them to remember what other flows did.
const seen = new Set<string>();

export default defineScript({
  // Unique among all scripts.
  key: '${key}',

  // As lists show them: a text, or the key of a translation.
  title: '${key}',
  description: 'What it looks for',

  // Four callbacks; delete those that you do not need. Your editor knows every field of \`info\`.

  // Once for a flow: its protocol and the details of it are known.
  protocolDetected(info, flow) {
    if (info['proto.ndpi'] === 'Telnet' && !seen.has(info['cli.ip'])) {
      seen.add(info['cli.ip']);
      flow.alert('potentially_dangerous_protocol', 'warning', { client: info['cli.ip'], server: info['srv.ip'] });
    }
  },

  // The flow's statuses are not those of the visit before.
  statusChanged(info) {},

  // Every five minutes for a flow that lives long. \`*.last\` is what came since the visit before.
  periodicUpdate(info) {},

  // Once at the end of the flow: final numbers.
  idle(info) {},
});
`;

/** Of the folder, or of the nearest one above it: what an editor of Lua reads that has that folder open. */
function editorSettings(directory: string): string | undefined {
  const found = ['.luarc.json', '.luarc.jsonc'].map((name) => join(directory, name)).find((path) => existsSync(path));
  const above = dirname(directory);
  return found ?? (above === directory ? undefined : editorSettings(above));
}

/** A path as short as it gets. */
const shown = (path: string): string => {
  const from = relative(process.cwd(), path);
  return from.startsWith('../..') ? path : from;
};

/** Tells editors of Lua where the types are, unless settings are there that they read. @returns lines for the user */
function writeEditorSettings(directory: string): string[] {
  const found = editorSettings(resolve(directory));
  if (found !== undefined) return [`Editors that have its folder open use ${shown(found)}`];
  writeFileSync(join(directory, '.luarc.json'), settings(TYPES_FOLDER), { flag: 'wx' });
  return [];
}

/** @returns lines for the user. @throws CommandError: the name is wrong, or there is such a file */
export function newScript({ scriptDirectories }: Config, name: string, language: 'lua' | 'typescript' | undefined): string[] {
  if (!/^[A-Za-z_][\w-]{0,63}$/.test(name))
    throw usageError(`scripts new: '${name}' cannot be a key`, 'letters, digits, _ and -, for example: beacon');
  if (language === undefined) throw usageError('scripts new: in which language?', `flowpatrol scripts new ${name} --lua, or --ts`);
  const [directory] = scriptDirectories as readonly [string];
  const path = join(directory, `${name}.${language === 'lua' ? 'lua' : 'ts'}`);
  let more: string[] = [];
  try {
    makeFolder(directory);
    writeFileSync(path, language === 'lua' ? lua(name) : typescript(name), { flag: 'wx' });
    if (language === 'lua') more = writeEditorSettings(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && !(error instanceof FolderError))
      throw usageError(`scripts new: ${path} is there already`, 'give another name');
    throw runError(`scripts new: ${message}`);
  }
  return [shown(path), ...more, `Try it: flowpatrol test ${shown(path)} CAPTURE`];
}
