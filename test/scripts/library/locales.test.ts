import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { STATUSES } from '../../../src/flows/statuses.ts';
import { loadLocales } from '../../../src/scripts/locales.ts';

test('a text is looked up in the language, in its base, then in English', () => {
  const { translator, languages } = loadLocales();
  assert.deepEqual(languages, ['de', 'en', 'it']);
  const key = 'flow_callbacks_config.blacklisted';
  const texts = ['en', 'it', 'de', 'de_AT.UTF-8', 'fr'].map((language) => translator(language)(key));
  assert.deepEqual(texts, ['Blacklisted', 'In lista nera', 'Auf einer Sperrliste', 'Auf einer Sperrliste', 'Blacklisted']);
  assert.equal(translator('de')('no.such.key'), undefined);
});

test('every status has a title in every language, and no language has keys of its own', () => {
  const { translator } = loadLocales();
  for (const { name, title } of STATUSES) {
    assert.equal(translator('en')(`statuses.${name}`), title);
    for (const language of ['it', 'de']) assert.notEqual(translator(language)(`statuses.${name}`), undefined);
  }
  const folder = new URL('../../../src/scripts/locales/', import.meta.url);
  const keys = readdirSync(folder).map((file) => {
    const { statuses, alert_types, ...rest } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, object>;
    return JSON.stringify(Object.entries(rest).map(([group, texts]) => [group, Object.keys(texts).sort()]));
  });
  assert.equal(new Set(keys).size, 1);
});

test("the user's files win, may be nested or dotted, a bad one is named, and a folder that is not there is none", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-locales-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'pt-BR.json'), '{"mine":{"title":"Olá %{name}, %{count} e %{other}"}}');
  writeFileSync(join(folder, 'de.json'), '{"mine.title":"Hallo","flow_callbacks_config.blacklisted":"Gesperrt"}');
  writeFileSync(join(folder, 'it.json'), '{"mine":5}');
  writeFileSync(join(folder, 'notes.txt'), 'x');
  const reports: string[] = [];
  const { translator, languages } = loadLocales([folder, join(folder, 'missing'), join(folder, 'notes.txt')], (text) => reports.push(text));
  assert.deepEqual(languages, ['de', 'en', 'it', 'pt-br']);
  assert.equal(translator('pt_BR')('mine.title', { name: 'Ana', count: 3 }), 'Olá Ana, 3 e %{other}');
  assert.equal(translator('de')('mine.title'), 'Hallo');
  assert.equal(translator('de')('flow_callbacks_config.blacklisted'), 'Gesperrt');
  assert.equal(translator('it')('mine.title'), undefined);
  assert.equal(reports.length, 2);
  assert.match(reports[0] ?? '', /it\.json: 'mine' is not a text; the file is ignored/);
  assert.match(reports[1] ?? '', /^locale files: .*notes\.txt/);
});
