/** The options of the commands about scripts (`test`, `record`, `replay`, `explain`, `scripts`), declared as those of a run are. */
import { resolve } from 'node:path';
import { last, notEmpty, type OptionOf } from '../options.ts';

export interface ScriptOptions {
  /** Absolute paths, as all below. */
  readonly output?: string;
  readonly recording?: string;
  readonly script: readonly string[];
  readonly against: readonly string[];
  /** Writes golden texts. */
  readonly update: boolean;
  readonly watch: boolean;
  /** Shows every call. */
  readonly callbacks: boolean;
  readonly language?: 'lua' | 'typescript';
}

export const DEFAULT_SCRIPT_OPTIONS: ScriptOptions = { script: [], against: [], update: false, watch: false, callbacks: false };

type Declaration = OptionOf<ScriptOptions>;
type Declared = Omit<Declaration, 'default' | 'read' | 'group'>;

const flag = (set: Partial<ScriptOptions>, declared: Declared): Declaration => ({
  ...declared,
  group: 'Scripts',
  default: '',
  read: () => set,
});

const path = (key: 'output' | 'recording', declared: Declared): Declaration => ({
  ...declared,
  group: 'Scripts',
  default: '',
  read: (texts, name) => ({ [key]: resolve(notEmpty(last(texts), name)) }),
});

const paths = (key: 'script' | 'against', declared: Declared): Declaration => ({
  ...declared,
  group: 'Scripts',
  default: '',
  repeatable: true,
  read: (texts, name) => ({ [key]: texts.map((text) => resolve(notEmpty(text, name))) }),
});

export const SCRIPT_OPTIONS: readonly Declaration[] = [
  path('output', {
    name: 'output',
    short: 'o',
    value: 'FILE',
    help: 'where the recording goes (.gz: compressed)',
    more: 'See [the guide to testing scripts](../guides/testing-scripts.md).',
  }),
  path('recording', { name: 'recording', value: 'FILE', help: 'a recording instead of captures' }),
  paths('script', {
    name: 'script',
    value: 'FILE',
    help: 'script in place of the recorded one',
    more: 'It takes the place of the recorded script with the same key. Without any the recorded scripts run as they were.',
  }),
  paths('against', { name: 'against', value: 'FILE', help: 'compare with this script, not with the record' }),
  flag({ update: true }, { name: 'update', help: 'write the golden text anew' }),
  flag({ watch: true }, { name: 'watch', help: 'again whenever a file changes' }),
  flag({ callbacks: true }, { name: 'callbacks', help: 'show every call, also the silent ones' }),
  flag({ language: 'lua' }, { name: 'lua', help: 'a script in Lua' }),
  flag({ language: 'typescript' }, { name: 'ts', help: 'a script in TypeScript' }),
];
