/**
 * What the settings of an endpoint look like: declared once per kind (kinds.ts), checked here. Forms, the programming interface and what
 * is shown of secrets are derived from the declarations.
 */

export type SettingValue = string | number | boolean | readonly string[];
export type SettingValues = Readonly<Record<string, SettingValue>>;

interface Common {
  readonly name: string;
  /** One line. */
  readonly doc: string;
  /** Is never shown again. */
  readonly secret?: true;
  readonly required?: true;
}
export type Setting =
  | (Common & { readonly type: 'text'; readonly default?: string; readonly pattern?: RegExp; readonly like?: string })
  /** Several lines: certificates in PEM. */
  | (Common & { readonly type: 'pem' })
  | (Common & { readonly type: 'url' })
  | (Common & { readonly type: 'integer'; readonly from: number; readonly to: number; readonly default: number })
  | (Common & { readonly type: 'choice'; readonly choices: readonly string[]; readonly default: string })
  | (Common & { readonly type: 'list'; readonly most: number; readonly pattern?: RegExp; readonly like?: string });

/** A setting that cannot be, or an endpoint that cannot be. */
export class EndpointError extends Error {}

const LONGEST_TEXT = 2000;
const LONGEST_PEM = 100_000;
/** A line in a header or a command must not become two. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const CONTROL = /[\0-\x1f\x7f]/;

function lineOf(setting: Setting & { readonly pattern?: RegExp; readonly like?: string }, value: unknown): string {
  const { name, pattern, like } = setting;
  if (typeof value !== 'string') throw new EndpointError(`${name}: a text is wanted`);
  if (value.length > LONGEST_TEXT) throw new EndpointError(`${name}: ${value.length} characters; ${LONGEST_TEXT} are the most`);
  if (CONTROL.test(value)) throw new EndpointError(`${name}: it has control characters`);
  if (pattern !== undefined && value !== '' && !pattern.test(value)) {
    throw new EndpointError(`${name}: '${setting.secret === true ? '…' : value}' is not like ${like}`);
  }
  return value;
}

function checkUrl(setting: Setting, value: unknown): string {
  const text = lineOf(setting, value);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new EndpointError(`${setting.name}: an address is wanted that begins with https:// or http://`);
  return url.href;
}

function check(setting: Setting, value: unknown): SettingValue {
  const { name } = setting;
  switch (setting.type) {
    case 'text':
      return lineOf(setting, value);
    case 'url':
      return checkUrl(setting, value);
    case 'pem':
      if (typeof value !== 'string' || value.length > LONGEST_PEM || !/^\s*-----BEGIN CERTIFICATE-----/.test(value))
        throw new EndpointError(`${name}: certificates in PEM are wanted`);
      return value;
    case 'integer':
      if (!Number.isInteger(value) || (value as number) < setting.from || (value as number) > setting.to)
        throw new EndpointError(`${name}: a whole number from ${setting.from} to ${setting.to} is wanted`);
      return value as number;
    case 'choice':
      if (!setting.choices.includes(value as string)) throw new EndpointError(`${name}: one of ${setting.choices.join(', ')} is wanted`);
      return value as string;
    case 'list': {
      const items = Array.isArray(value) ? (value as unknown[]) : [];
      if (items.length === 0 || items.length > setting.most) throw new EndpointError(`${name}: 1 to ${setting.most} texts are wanted`);
      return items.map((item) => lineOf(setting, item));
    }
  }
}

/**
 * Settings as somebody gives them, checked and made whole.
 * @param before those in force: what is not given stays; `null` takes a value away
 * @throws EndpointError
 */
export function checkSettings(
  declared: readonly Setting[],
  given: Readonly<Record<string, unknown>>,
  before: SettingValues = {},
): SettingValues {
  const known = new Set(declared.map(({ name }) => name));
  const unknown = Object.keys(given).find((name) => !known.has(name));
  if (unknown !== undefined) throw new EndpointError(`there is no setting '${unknown}'; there are ${[...known].join(', ')}`);
  const values: Record<string, SettingValue> = {};
  for (const setting of declared) {
    const { name, required } = setting;
    const value = given[name] === undefined ? before[name] : given[name];
    const missing = value === undefined || value === null || value === '';
    if (!missing) values[name] = check(setting, value);
    else if ('default' in setting && setting.default !== undefined) values[name] = setting.default;
    else if (required === true) throw new EndpointError(`${name} is missing: ${setting.doc}`);
  }
  return values;
}

/** The settings without their secrets; addresses that hold one are shown as far as their host. */
export function shownSettings(declared: readonly Setting[], values: SettingValues): SettingValues {
  return Object.fromEntries(
    declared.flatMap(({ name, type, secret }) => {
      const value = values[name];
      if (value === undefined) return [];
      if (secret !== true) return [[name, value]];
      return [[name, type === 'url' ? `${new URL(value as string).origin}/…` : '…']];
    }),
  );
}

export const textOf = (values: SettingValues, name: string): string => String(values[name] ?? '');
export const listOf = (values: SettingValues, name: string): readonly string[] => (values[name] ?? []) as readonly string[];
/** For places where an absent setting has to be an absent member. */
export const optional = <K extends string>(values: SettingValues, name: string, as: K): { readonly [P in K]?: string } =>
  values[name] === undefined ? {} : ({ [as]: String(values[name]) } as { readonly [P in K]?: string });
