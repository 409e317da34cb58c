/** The OpenAPI document as a page for people: plain HTML, nothing to run. Served at /api, its style at /api/style.css. */
import { API } from './address.ts';
import type { OpenApiDocument, Operation } from './openapi.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] as string);
/** `code` between backquotes. */
const prose = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');
const json = (value: unknown): string => escaped(JSON.stringify(value, null, 2));

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

function kindOf({ type, enum: words, minimum, maximum }: Schema): string {
  if (words !== undefined) return words.map(String).join(' | ');
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''}…${maximum ?? ''}`;
  return `${[type ?? 'any'].flat().join(' | ')}${range}`;
}

function parameters(operation: Operation): string {
  if (operation.parameters.length === 0) return '';
  const rows = operation.parameters.map((parameter) => {
    const {
      name,
      in: where,
      required,
      schema,
      description,
    } = parameter as {
      name: string;
      in: string;
      required: boolean;
      schema: Schema;
      description?: string;
    };
    const fallback = schema.default === undefined ? '' : ` Default <code>${escaped(String(schema.default))}</code>.`;
    return `<tr><td><code>${escaped(name)}</code></td><td>${where}${required ? ', required' : ''}</td><td>${escaped(kindOf(schema))}</td><td>${prose(description ?? '')}${fallback}</td></tr>`;
  });
  return `<table><caption>Parameters</caption><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { operationId, summary, description, requestBody, responses } = operation;
  const body = requestBody === undefined ? '' : `<h4>Body</h4><pre tabindex="0">${json(requestBody.content)}</pre>`;
  const answers = Object.entries(responses).map(([status, { description: what, content }]) => {
    const shape = status.startsWith('2') && content !== undefined ? `<pre tabindex="0">${json(content)}</pre>` : '';
    return `<dt>${status}</dt><dd>${prose(what)}${shape}</dd>`;
  });
  return (
    `<details id="${operationId}"><summary><span class="method ${method}">${method.toUpperCase()}</span> <code>${escaped(API + path)}</code> ` +
    `<span class="what">${prose(summary)}</span> <span class="role">${operation['x-role']}</span></summary>` +
    `<div>${description === undefined ? '' : `<p>${prose(description)}</p>`}${parameters(operation)}${body}<h4>Answers</h4><dl>${answers.join('')}</dl></div></details>`
  );
}

export function apiPage({ info, paths }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? '');
  const sections = [...byTag].map(
    ([tag, of]) =>
      `<section aria-labelledby="tag-${tag}"><h2 id="tag-${tag}">${escaped(tag)}</h2>${of.map(({ method, path, operation }) => operationHtml(method, path, operation)).join('')}</section>`,
  );
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<title>${escaped(info.title)}: programming interface</title><link rel="stylesheet" href="/api/style.css"></head><body><main>` +
    `<h1>${escaped(info.title)} ${escaped(info.version)}: programming interface</h1><p>${prose(info.description)}</p>` +
    `<p><a href="${API}/openapi.json">The OpenAPI document</a>. Programs send a token: <code>Authorization: Bearer …</code>.</p>` +
    `${sections.join('')}</main></body></html>\n`
  );
}

export const apiStyle = (): string => `:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
summary { padding: .4rem; cursor: pointer; }
details { border: 1px solid color-mix(in srgb, currentcolor 20%, transparent); border-radius: .3rem; margin: .3rem 0; }
details > div { padding: 0 1rem 1rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.what { margin-left: .5rem; }
.role { float: right; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 700; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
pre { max-height: 24rem; overflow: auto; padding: .6rem; background: color-mix(in srgb, currentcolor 8%, transparent); }
dt { font-weight: 700; }
`;
