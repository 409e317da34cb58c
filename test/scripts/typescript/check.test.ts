import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkScripts, compilerOptions } from '../../../src/scripts/check.ts';

async function check(t: TestContext, files: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-check-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const findings = await checkScripts([directory]);
  return findings.map(
    ({ file, line, column, severity, message }) => `${relative(directory, file)}:${line}:${column} ${severity} ${message}`,
  );
}

const ts = (body: string): string => `import { defineScript } from 'flowpatrol';
export default defineScript({
  key: 'a',
  helper(n: number): boolean { return n > 5; },
  setup() { return true; },
  idle(info, flow) {
${body}
  },
});
`;

test('scripts that are right have no findings', async (t) => {
  const good = `    if (this.helper(info.bytes)) flow.alert('dns_anomaly', 'warning', { ...info }, { score: 5, status: 'blacklisted' });
    const query: string | undefined = info['protos.dns.last_query'];
    flow.cache.set('k', query ?? String(info.tos.client.DSCP + limit), 60);
    flow.setStatus('longlived');
    console.log(info['cli.ip'].toUpperCase(), flow.score('client')?.toFixed());`;
  const findings = await check(t, {
    'good.ts': `import { limit } from './lib/limit.ts';\n${ts(good)}`,
    'lib/limit.ts': 'export const limit: number = 5;\n',
    'good.lua': 'return { key = "x", setup = function() return true end }\n',
    'notes.txt': 'no script',
  });
  assert.deepEqual(findings, []);
});

test('our own examples have none', async () => {
  const examples = fileURLToPath(new URL('../../../scripts/callbacks/interface/alerts/flow', import.meta.url));
  assert.deepEqual(await checkScripts([examples]), []);
});

test('editors check our examples with the same options', () => {
  const text = readFileSync(new URL('../../../scripts/tsconfig.json', import.meta.url), 'utf8').replace(/^ *\/\/.*$/gm, '');
  const { compilerOptions: options } = JSON.parse(text) as { readonly compilerOptions: Readonly<Record<string, unknown>> };
  assert.deepEqual({ ...options, paths: 0 }, { ...compilerOptions(), paths: 0 });
});

test('what is wrong is told with its place', async (t) => {
  const findings = await check(t, {
    'async.ts': "export default {\n  key: 'a',\n  async idle() {} };\n",
    'import.ts': "import { readFileSync } from 'node:fs';\nexport default { key: readFileSync('x') };\n",
    'syntax.ts': 'const x = ;\n',
    'types.ts': ts("    const n: string = info.bytes;\n    flow.alert('nothing', 'warning');\n    console.log(n, info['cli.ipp']);"),
    'a.lua': 'local x = 1\nlocal = 2\n',
    'b.lua': '\x1bLua',
  });
  assert.deepEqual(
    findings.map((text) => text.replace(/(TS\d+: .{20}).*/s, '$1')),
    [
      "a.lua:2:1 error <name> expected near '='",
      'async.ts:3:13 error a script cannot have async functions: a call ends when it returns, nothing goes on behind it',
      'b.lua:0:0 error compiled Lua: a script must be source text',
      "import.ts:1:30 error TS2591: Cannot find name 'no",
      'syntax.ts:1:11 error TS1109: Expression expected.',
      "types.ts:7:11 error TS2322: Type 'number' is not",
      'types.ts:8:16 error TS2345: Argument of type \'"n',
      "types.ts:9:25 error TS2551: Property 'cli.ipp' d",
    ],
  );
});

test('a folder that is not there is a finding', async () => {
  const [finding, ...others] = await checkScripts(['/no/such/folder']);
  assert.equal(finding?.file, '/no/such/folder');
  assert.equal(finding?.severity, 'warning');
  assert.match(finding?.message ?? '', /ENOENT/);
  assert.deepEqual(others, []);
});
