/**
 * The text of a TypeScript file made ready to run: types stripped, the module turned into the body of a function.
 *
 *   `import { defineScript } from 'flowpatrol'`    (function ($flowpatrol, {"defineScript": defineScript}) { 'use strict';
 *   `export default defineScript({…})`       ──►   $flowpatrol.default = defineScript({…})
 *   `export const limit = 5`                       const limit = 5; … ; $flowpatrol.limit = limit; })
 *
 * Every line stays where it was, so errors name the lines of the file. Called by runtime.ts, and by check.ts for what it refuses.
 */
import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, type ImportDeclaration, type ModuleDeclaration, type Node, type Program, parse, type Statement } from 'acorn';

/** What a file must not have, with where it is. The message is `file:line: cause`. */
export class SourceError extends Error {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  override readonly cause: string;
  /** @param line from 1 on; 0 = the file as a whole @param column from 1 on */
  constructor(file: string, line: number, column: number, cause: string) {
    super(line === 0 ? `${file}: ${cause}` : `${file}:${line}: ${cause}`);
    this.file = file;
    this.line = line;
    this.column = column;
    this.cause = cause;
  }
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Exports that are taken by name. */
  readonly names: readonly string[];
}

export interface CompiledSource {
  /** A function expression; its parameters are the object that takes the exports, and one for each of `imports`. */
  readonly code: string;
  /** In the order of the parameters; a file may come twice. */
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** By the source text of a function: the keys by which it reads its first parameter, where it does nothing else with it. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
}

/** Name of the object that takes the exports. */
const EXPORTS = '$flowpatrol';

/**
 * Node strips types without a dependency of ours, and warns once per thread that this may change: nothing that a user could act on.
 */
function strip(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' });
  } finally {
    process.emitWarning = emitWarning;
  }
}

function stripped(file: string, source: string): string {
  try {
    return strip(source);
  } catch (error) {
    // the stack begins with `file:line`, the lines around, and marks below the column
    const { message, stack = '' } = error as Error;
    const line = /^[^\n]*?:(\d+)\n/.exec(stack)?.[1] ?? '0';
    const mark = /\n( *)\^+\n/.exec(stack)?.[1] ?? '';
    throw new SourceError(file, Number(line), mark.length + 1, message);
  }
}

function parsed(file: string, code: string): Program {
  try {
    return parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
  } catch (error) {
    const { message, loc } = error as SyntaxError & { readonly loc?: { readonly line: number; readonly column: number } };
    throw new SourceError(file, loc?.line ?? 0, (loc?.column ?? -1) + 1, message.replace(/ \(\d+:\d+\)$/, ''));
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The nodes below a node. */
function children(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  }
  return found;
}

/** Calls `visit` with every node and the nodes above it, innermost first. */
function walk(node: AnyNode, visit: (node: AnyNode, above: readonly AnyNode[]) => void, above: readonly AnyNode[] = []): void {
  visit(node, above);
  const here = [node, ...above];
  for (const child of children(node)) walk(child, visit, here);
}

/** @throws SourceError about what has no place in a script whose calls end when they return */
function refuse(file: string, node: AnyNode): void {
  const no = (cause: string): never => {
    throw new SourceError(file, node.loc?.start.line ?? 0, (node.loc?.start.column ?? -1) + 1, cause);
  };
  if (('async' in node && node.async === true) || (node.type === 'ForOfStatement' && node.await)) {
    no('a script cannot have async functions: a call ends when it returns, nothing goes on behind it');
  }
  if (node.type === 'AwaitExpression') no('a script cannot wait (await): everything that it may call returns at once');
  if (node.type === 'ImportExpression') no('a script cannot import() while it runs: use an import statement');
  if (node.type === 'MetaProperty' && node.meta.name === 'import') no('import.meta is not there in a script');
}

const isFunction = (node: AnyNode): boolean =>
  node.type === 'FunctionExpression' || node.type === 'FunctionDeclaration' || node.type === 'ArrowFunctionExpression';
/** What is in it may run later. */
const isDeferred = (node: AnyNode): boolean => isFunction(node) || node.type === 'ClassExpression' || node.type === 'ClassDeclaration';

/** Key of a property or member as it stands in the source; undefined when it is computed while running. */
function keyOf(node: { readonly computed: boolean }, key: AnyNode): string | undefined {
  if (key.type === 'Literal') return typeof key.value === 'string' ? key.value : undefined;
  return !node.computed && key.type === 'Identifier' ? key.name : undefined;
}

/** Keys of an object pattern; undefined when it takes others too. */
function patternKeys(pattern: AnyNode): string[] | undefined {
  if (pattern.type !== 'ObjectPattern') return undefined;
  const keys = pattern.properties.map((property) => (property.type === 'Property' ? keyOf(property, property.key) : undefined));
  return keys.includes(undefined) ? undefined : (keys as string[]);
}

/** What `info[KEY]`, or the pattern in `const {…} = info`, reads; undefined where it is anything else than such a reading. */
function keysReadAt(above: readonly AnyNode[], node: AnyNode): readonly string[] | undefined {
  const [parent, next] = above;
  if (parent === undefined || next === undefined) return undefined;
  if (parent.type === 'VariableDeclarator' && parent.init === node) return patternKeys(parent.id);
  if (parent.type !== 'MemberExpression' || parent.object !== node) return undefined;
  const key = keyOf(parent, parent.property);
  if (key === undefined || key in Object.prototype) return undefined;
  // a call would hand over the object as `this`; the rest writes to it
  const other =
    (next.type === 'CallExpression' && next.callee === parent) ||
    (next.type === 'TaggedTemplateExpression' && next.tag === parent) ||
    (next.type === 'AssignmentExpression' && next.left === parent) ||
    (next.type === 'AssignmentPattern' && next.left === parent) ||
    ((next.type === 'ForInStatement' || next.type === 'ForOfStatement') && next.left === parent) ||
    (next.type === 'Property' && above[2]?.type === 'ObjectPattern' && next.value === parent) ||
    (next.type === 'UnaryExpression' && next.operator === 'delete') ||
    next.type === 'ChainExpression' ||
    next.type === 'UpdateExpression' ||
    next.type === 'ArrayPattern' ||
    next.type === 'RestElement';
  return other ? undefined : [key];
}

/** The keys by which a function reads its first parameter; undefined when it does anything else with it, or may keep it. */
function readsOf(node: AnyNode): string[] | undefined {
  if (node.type !== 'FunctionExpression' && node.type !== 'FunctionDeclaration' && node.type !== 'ArrowFunctionExpression')
    return undefined;
  if (node.generator) return undefined;
  const [first] = node.params;
  if (first === undefined) return usesArguments(node) ? undefined : [];
  if (first.type === 'ObjectPattern') return usesArguments(node) ? undefined : patternKeys(first);
  if (first.type !== 'Identifier') return undefined;
  const keys = new Set<string>();
  let only = true;
  walk(node, (inner, above) => {
    if (inner.type !== 'Identifier' || inner === first) return;
    if (inner.name === 'arguments') only = false;
    if (inner.name !== first.name) return;
    const [parent] = above;
    const isName =
      (parent?.type === 'MemberExpression' && parent.property === inner && !parent.computed) ||
      (parent?.type === 'Property' && parent.key === inner && !parent.computed && !parent.shorthand);
    if (isName) return;
    // a function within may be kept and called when the event is over
    const inside = above.slice(0, above.indexOf(node)).some(isDeferred);
    const read = inside ? undefined : keysReadAt(above, inner);
    if (read === undefined) only = false;
    else for (const key of read) keys.add(key);
  });
  return only ? [...keys] : undefined;
}

function usesArguments(node: AnyNode): boolean {
  let found = false;
  walk(node, (inner) => {
    if (inner.type === 'Identifier' && inner.name === 'arguments') found = true;
  });
  return found;
}

/** Whoever has a function's text finds it by that: a method begins with its name. */
function textOf(code: string, node: AnyNode, parent: AnyNode | undefined): string {
  const whole = parent?.type === 'Property' && parent.method ? parent : node;
  return code.slice(whole.start, whole.end);
}

/** Text of the same lines without anything on them. */
const blank = (text: string): string => text.replace(/[^\n\r\u2028\u2029]/g, ' ');

const nameOf = (node: AnyNode): string => (node.type === 'Literal' ? String(node.value) : node.type === 'Identifier' ? node.name : '');

/** The parameters that take what a declaration imports: a pattern for names, a name for the whole. */
function parametersOf(declaration: ImportDeclaration): { readonly parameter: string; readonly names: readonly string[] }[] {
  const parameters: { parameter: string; names: string[] }[] = [];
  const names: string[] = [];
  const members: string[] = [];
  for (const specifier of declaration.specifiers) {
    if (specifier.type === 'ImportNamespaceSpecifier') {
      parameters.push({ parameter: specifier.local.name, names: [] });
      continue;
    }
    const imported = specifier.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(specifier.imported);
    names.push(imported);
    members.push(`${JSON.stringify(imported)}: ${specifier.local.name}`);
  }
  if (names.length > 0 || parameters.length === 0) parameters.push({ parameter: `{ ${members.join(', ')} }`, names });
  return parameters;
}

/** Names that `export const a = 1`, `export function b() {}` declare. */
function declaredNames(file: string, declaration: AnyNode): string[] {
  const { line, column } = declaration.loc?.start ?? { line: 0, column: -1 };
  if (declaration.type !== 'VariableDeclaration') return 'id' in declaration ? [nameOf(declaration.id as AnyNode)] : [];
  return declaration.declarations.map(({ id }) => {
    if (declaration.kind === 'const' && id.type === 'Identifier') return id.name;
    throw new SourceError(file, line, column + 1, 'only functions, classes and single constants can be exported');
  });
}

/** @throws SourceError */
export function compileSource(file: string, source: string): CompiledSource {
  const code = stripped(file, source);
  const program = parsed(file, code);
  // a module has no such comments, what is compiled in the end is no module: the two must not read different programs
  const comment = code.indexOf('<!--');
  if (comment >= 0)
    throw new SourceError(file, code.slice(0, comment).split('\n').length, 1, "write '<' + '!--': HTML comments are not there in a script");
  const reads = new Map<string, readonly string[]>();
  walk(program, (node, [parent]) => {
    refuse(file, node);
    if (!isFunction(node)) return;
    const keys = readsOf(node);
    if (keys !== undefined) reads.set(textOf(code, node, parent), keys);
  });

  const imports: Import[] = [];
  const exports: string[] = [];
  const parameters: string[] = [];
  const last: string[] = [];
  let text = '';
  let done = 0;
  /** Puts `by` in the place of a part of the text; its lines stay. */
  const replace = (start: number, end: number, by = ''): void => {
    const room = blank(code.slice(start, end));
    // where it fits, it stands in the place of blanks
    text += code.slice(done, start) + by + (/[^ ]/.test(room) ? room : room.slice(by.length));
    done = end;
  };
  const exported = (name: string, local: string): void => {
    exports.push(name);
    last.push(`${EXPORTS}[${JSON.stringify(name)}] = ${local};`);
  };

  for (const node of program.body as readonly (Statement | ModuleDeclaration)[]) {
    const { line, column } = node.loc?.start ?? { line: 0, column: -1 };
    switch (node.type) {
      case 'ImportDeclaration':
        for (const { parameter, names } of parametersOf(node)) {
          imports.push({ specifier: String(node.source.value), line, names });
          parameters.push(parameter);
        }
        replace(node.start, node.end);
        break;
      case 'ExportDefaultDeclaration': {
        const named =
          (node.declaration.type === 'FunctionDeclaration' || node.declaration.type === 'ClassDeclaration') && node.declaration.id;
        if (named) {
          replace(node.start, node.declaration.start);
          exported('default', named.name);
        } else {
          exports.push('default');
          replace(node.start, node.declaration.start, `${EXPORTS}.default = `);
        }
        break;
      }
      case 'ExportNamedDeclaration':
        if (node.source) throw new SourceError(file, line, column + 1, 'export … from is not there in a script: import it, then export it');
        if (node.declaration) {
          for (const name of declaredNames(file, node.declaration)) exported(name, name);
          replace(node.start, node.declaration.start);
        } else {
          for (const specifier of node.specifiers) exported(nameOf(specifier.exported), nameOf(specifier.local));
          replace(node.start, node.end);
        }
        break;
      case 'ExportAllDeclaration':
        throw new SourceError(file, line, column + 1, 'export * is not there in a script: import it, then export it');
    }
  }
  text += code.slice(done);
  return {
    code: `'use strict'; (function (${[EXPORTS, ...parameters].join(', ')}) { ${text}\n${last.join(' ')}})`,
    imports,
    exports,
    reads,
  };
}
