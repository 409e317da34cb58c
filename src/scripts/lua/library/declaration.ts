/**
 * How what Lua scripts find is declared: one line a member, read by stubs.ts (LuaLS) and by the test that looks at a running script's world.
 *
 *   getDuration(): integer -- s from first to last packet
 *   setCache(key: string, value: string|number, ttl?: integer): boolean -- ttl in s
 *   max_score: integer -- most that a status adds
 *   round = round -- the global function of that name
 *
 * Types are those of LuaLS; `...` is a parameter; results are separated by a comma and a blank.
 */

export interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
}

export interface Member {
  readonly name: string;
  readonly doc: string;
  /** A function has these two, a value its `type`, another name for something global `same`. */
  readonly parameters?: readonly Parameter[];
  readonly returns?: readonly string[];
  readonly type?: string;
  readonly same?: string;
}

const LINE = /^(?<name>\w+)(?:\((?<parameters>.*?)\)(?:: (?<returns>.+?))?|: (?<type>.+?)| = (?<same>[\w.]+))(?: -- (?<doc>.+))?$/;

function parameterOf(text: string): Parameter {
  const [, name, optional, type] = /^(\w+|\.{3})(\?)?: (.+)$/.exec(text) ?? [];
  if (name === undefined || type === undefined) throw new Error(`not a parameter: ${text}`);
  return { name, type, optional: optional !== undefined };
}

/** @throws Error naming the line that cannot be read */
export function declared(text: string): Member[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line): Member => {
      const groups = LINE.exec(line)?.groups;
      if (groups === undefined) throw new Error(`not a declaration: ${line}`);
      const { name = '', parameters, returns, type, same, doc = '' } = groups;
      if (parameters === undefined) return { name, doc, ...(type === undefined ? {} : { type }), ...(same === undefined ? {} : { same }) };
      return {
        name,
        doc,
        parameters: parameters === '' ? [] : parameters.split(/, (?=\w+\??: |\.{3}: )/).map(parameterOf),
        returns: returns === undefined ? [] : returns.split(/, (?![^<({]*[>)}])/),
      };
    });
}
