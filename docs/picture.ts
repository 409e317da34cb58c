/**
 * Draws docs/images/demo.svg: what `npm start` prints on a terminal, taken from a real run. Run by hand when that changes:
 * `node docs/picture.ts` (needs `script` of util-linux).
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COLUMNS = 100;
const LINE = 18;
const CHARACTER = 7.8;
const root = fileURLToPath(new URL('..', import.meta.url));

const run = spawnSync('script', ['-qec', `stty cols ${COLUMNS}; bin/flowpatrol --no-web`, '/dev/null'], { cwd: root, encoding: 'utf8' });
if (run.status !== 0) throw new Error(`the demo ended with ${run.status}`);
const lines = run.stdout
  .split('\n')
  // a status line is redrawn in place: what stays is behind the last erase
  .map((line) => (line.replace(/\r$/, '').split('\r').at(-1) ?? '').replaceAll('\u001b[K', ''))
  .filter((line, i, all) => line !== '' || all[i - 1] !== '');

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const colour = (line: string): string =>
  /^\w+\| /.test(line) ? '#8bd5ca' : /^(Interface|Protocol|Script) /.test(line) ? '#f5bde6' : /^(Alerts|Losses|Try)/.test(line) ? '#a6da95' : '#cad3f5';
const height = (lines.length + 3) * LINE + 16;
const width = COLUMNS * CHARACTER + 32;
const body = ['$ npm start', ...lines].map(
  (line, i) => `<text x="16" y="${(i + 2) * LINE}" fill="${i === 0 ? '#eed49f' : colour(line)}" xml:space="preserve">${escape(line.slice(0, COLUMNS))}</text>`,
);
writeFileSync(
  fileURLToPath(new URL('images/demo.svg', import.meta.url)),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Output of npm start">
<rect width="100%" height="100%" rx="8" fill="#24273a"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">
${body.join('\n')}
</g>
</svg>
`,
);
