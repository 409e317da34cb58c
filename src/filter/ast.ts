/**
 * What a filter says, as plain data: parse.ts makes it, format.ts writes it back, walk.ts gives it a meaning.
 * Names and values are as they were written: which fields exist and what a value stands for is not known here.
 */
export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'matches';

/** Both ends belong to it. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export interface Comparison {
  readonly kind: 'compare';
  readonly field: string;
  readonly op: CompareOp;
  readonly value: string;
}

export interface Membership {
  readonly kind: 'in';
  readonly field: string;
  /** Never empty. */
  readonly list: readonly (string | Range)[];
}

/** A field alone: it is true, or it is there. */
export interface Presence {
  readonly kind: 'has';
  readonly field: string;
}

export type FilterLeaf = Comparison | Membership | Presence;

export type FilterNode =
  | FilterLeaf
  /** The empty filter. Only ever the whole. */
  | { readonly kind: 'all' }
  | { readonly kind: 'not'; readonly of: FilterNode }
  /** Two or more; none of them is of the same kind. */
  | { readonly kind: 'and' | 'or'; readonly of: readonly FilterNode[] };

/** Words that are no names and no values unless they are quoted; in any case of letters. */
export const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'contains', 'matches']);

/** Characters of a bare word: neither space nor quote nor sign of the language. */
export const WORD = /[^\s"'(){}[\],=!<>~&|]+/y;
