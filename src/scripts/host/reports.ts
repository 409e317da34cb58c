/** How a script stands: what the host knows of it as plain data. Called by host.ts. */
import { printable } from '../effects.ts';
import type { Translate } from '../locales.ts';
import type { ScriptReport, ScriptState } from '../report.ts';
import type { Tally } from '../tally.ts';
import { keyOf, type Script } from './scripts.ts';

const sum = (script: Script, count: (tally: Tally) => number): number =>
  [...script.profiles.values()].reduce((total, { tally }) => total + count(tally), 0);

/** @param share its part of the time of all */
export function reportOf(script: Script, state: ScriptState, share: number, translate: Translate): ScriptReport {
  const { loaded, breaker } = script;
  const definition = loaded?.definition;
  const callbacks = definition?.callbacks ?? [];
  const words = (text: string): string => translate(text) ?? text;
  return {
    key: printable(keyOf(script)),
    file: script.file,
    path: script.path,
    language: script.language,
    ...(definition === undefined ? {} : { generation: definition.generation }),
    ...(loaded === undefined ? {} : { hash: loaded.version.hash }),
    title: printable(words(definition?.title ?? script.file)),
    description: printable(words(definition?.description ?? '')),
    prio: definition?.prio ?? 0,
    callbacks,
    state,
    ...(script.error === undefined ? {} : { error: script.error }),
    warnings: definition?.warnings.map(printable) ?? [],
    stats: Object.fromEntries(
      [...script.profiles].filter(([callback]) => callbacks.includes(callback)).map(([callback, profile]) => [callback, profile.stats()]),
    ),
    alerts: sum(script, (tally) => tally.alerts),
    shadowAlerts: sum(script, (tally) => tally.shadowAlerts),
    ...(script.lastError === undefined ? {} : { lastError: script.lastError }),
    ...(script.lastStack === undefined || script.lastStack === '' ? {} : { lastStack: script.lastStack }),
    ...(breaker.broken === undefined ? {} : { broken: breaker.broken }),
    ownHost: false,
    stateLost: 0,
    share,
  };
}
