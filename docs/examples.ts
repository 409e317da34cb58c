/**
 * The pages of docs/examples: one for each example script, made of the script (its first comment tells what it is for), the story of
 * its capture, and its golden text; and the list of all.
 *
 *   scripts/…/flow/NAME.lua, NAME.ts, tests/NAME.golden, test/support/example-captures.ts ──► docs/examples/NAME.md, README.md
 *
 * Called by generate.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { EXAMPLE_CAPTURES } from '../test/support/example-captures.ts';

const FOLDER = 'scripts/callbacks/interface/alerts/flow';
const path = (name: string): URL => new URL(`../${FOLDER}/${name}`, import.meta.url);
const LANGUAGES = { lua: 'Lua', ts: 'TypeScript' } as const;

export interface Example {
  readonly name: string;
  readonly file: string;
  readonly language: keyof typeof LANGUAGES;
  readonly source: string;
  readonly title: string;
  readonly description: string;
  /** The first comment: a question, and how the script answers it. */
  readonly question: string;
  readonly answer: string;
  readonly golden: string;
  readonly callbacks: readonly string[];
}

/** Text of the comment at the top of a file, without comment marks. */
function firstComment(source: string): string {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !/^(--|\/\*\*| \*)/.test(line));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^(-- ?|\/\*\* ?| \*\/| \* ?)/, '').replace(/ ?\*\/$/, ''))
    .join('\n')
    .trim();
}

function read(file: string): Example {
  const source = readFileSync(path(file), 'utf8');
  const [name = '', language = ''] = file.split('.');
  const text = (member: string): string => {
    const found = new RegExp(`\\b(?:i18n_)?${member}\\s*[=:]\\s*(["'])(.+?)\\1`).exec(source)?.[2];
    if (found === undefined) throw new Error(`${FOLDER}/${file}: there is no ${member}; write it as a literal text`);
    return found;
  };
  const [question = '', ...answer] = firstComment(source).split('\n\n');
  const golden = readFileSync(path(`tests/${name}.golden`), 'utf8');
  return {
    name,
    file,
    language: language as Example['language'],
    source,
    title: text('title'),
    description: text('description'),
    question: question.replaceAll('\n', ' '),
    answer: answer.join('\n\n'),
    golden,
    callbacks: [...golden.matchAll(/^(\w+): (?:never called|\d+ calls?)/gm)].map(([, callback]) => callback as string),
  };
}

const files = (): string[] => readdirSync(path('')).filter((file) => /\.(lua|ts)$/.test(file));

/** In the order of their titles. @throws Error naming the file in which something is missing */
export const examples = (): Example[] =>
  files()
    .map(read)
    .sort((a, b) => a.title.localeCompare(b.title, 'en'));

const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

function page(example: Example, made: string): string {
  const { name, file, language, source, title, question, answer, golden, callbacks } = example;
  const story = EXAMPLE_CAPTURES[name]?.story;
  if (story === undefined) throw new Error(`test/support/example-captures.ts: there is no capture for ${file}`);
  return `# ${title}

${made}

**${question}**

${answer}

[${file}](../../${FOLDER}/${file}), ${LANGUAGES[language]}, callbacks ${codes(callbacks)}.

## On its capture

[${name}.pcap](../../${FOLDER}/tests/${name}.pcap):

${story.map((sentence) => `- ${sentence}`).join('\n')}

\`\`\`sh
npx flowpatrol test ${FOLDER}/${file}
\`\`\`

says this, and compares it with [${name}.golden](../../${FOLDER}/tests/${name}.golden):

\`\`\`text
${golden.trim()}
\`\`\`

## The script

\`\`\`${language}
${source.trim()}
\`\`\`
`;
}

function list(all: readonly Example[], made: string): string {
  const rows = all.map(
    ({ name, title, description, language, callbacks }) =>
      `| [${title}](${name}.md) | ${description} | ${LANGUAGES[language]} | ${codes(callbacks)} |`,
  );
  return `# Examples of scripts

${made}

The scripts that come with flowpatrol. All of them run until you switch them off, and none says a word while a network is as usual. Each
has a capture in which it finds something, and in which something looks alike and is harmless.

| Script | What it does | Language | Callbacks |
|---|---|---|---|
${rows.join('\n')}

To make one yours, copy it to a folder of your own, change its \`key\` and its lists, and run it there with \`--scripts-dir\`
([your first script](../guides/first-script.md)).
`;
}

/** Path from the project's root → text, as in generate.ts. Nothing is read before a text is asked for. */
export const examplePages = (made: string): Record<string, () => string> => ({
  'docs/examples/README.md': () => list(examples(), made),
  ...Object.fromEntries(files().map((file) => [`docs/examples/${file.replace(/\.\w+$/, '')}.md`, () => page(read(file), made)])),
});
