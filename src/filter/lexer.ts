/**
 * Text of a filter in, its words and signs out.
 *
 *   sign    ( ) { } , == != < <= > >= ~ && || !     `=` is read as `==`
 *   word    everything else up to a space, a quote or a sign: names, numbers, addresses, `8000..8999`
 *   string  in " or '; within it \" \' and \\ stand for the character, any other \ for itself
 */
import { WORD } from './ast.ts';
import { FilterError, quote, type Span } from './errors.ts';

export interface Token extends Span {
  readonly kind: 'sign' | 'word' | 'string' | 'end';
  /** The sign, the word, or what the string stands for. */
  readonly text: string;
}

const SIGN = /&&|\|\||[=!<>]=|[(){},=!<>~]/y;
const SPACE = /\s+/y;

/** Reads at `at` with a sticky expression. */
const read = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
};

function readString(text: string, position: number): Token {
  const mark = text[position] as string;
  let value = '';
  for (let at = position + 1; at < text.length; at++) {
    const next = text[at] as string;
    if (next === mark) return { kind: 'string', text: value, position, length: at + 1 - position };
    if (next === '\\' && ['"', "'", '\\'].includes(text[at + 1] as string)) at++;
    value += text[at];
  }
  throw new FilterError('syntax', 'A text has no end.', { position, length: text.length - position }, `close it with ${mark}`);
}

/** @returns tokens, `end` at last. @throws FilterError */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const space = read(SPACE, text, at).length;
    if (space > 0) {
      at += space;
      continue;
    }
    const first = text[at] as string;
    if (first === '"' || first === "'") {
      const token = readString(text, at);
      tokens.push(token);
      at += token.length;
      continue;
    }
    const sign = read(SIGN, text, at);
    const word = sign === '' ? read(WORD, text, at) : '';
    const length = sign.length + word.length;
    if (length === 0) {
      const hint = first === '&' ? 'write && or and' : first === '|' ? 'write || or or' : 'put a text that has such characters in quotes';
      throw new FilterError('syntax', `${quote(first)} means nothing here.`, { position: at, length: 1 }, hint);
    }
    tokens.push({ kind: sign === '' ? 'word' : 'sign', text: sign === '=' ? '==' : sign + word, position: at, length });
    at += length;
  }
  tokens.push({ kind: 'end', text: '', position: text.length, length: 0 });
  return tokens;
}
