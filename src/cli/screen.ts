/**
 * Standard error as people see it: lines that scroll, and on a terminal one status line below them that is redrawn in place.
 * Also the log: short lines for people on a terminal, JSON of pino everywhere else, or what is asked for.
 */
import type { WriteStream } from 'node:tty';
import pino from 'pino';
import type { LogFormat, LogLevel } from '../config.ts';
import type { Log } from '../patrol-types.ts';
import { printable } from './format.ts';

export interface Screen {
  readonly terminal: boolean;
  readonly columns: number;
  /** Writes a line above the status line. */
  line(text: string): void;
  /** Replaces the status line; nothing happens where there is no terminal. */
  status(text: string): void;
  /** Takes the status line away. */
  clear(): void;
}

const ERASE = '\r\u001b[K';

/** @param stream standard error */
export function createScreen(stream: WriteStream): Screen {
  const terminal = stream.isTTY === true;
  let shown = '';
  stream.on('error', () => {}); // whoever read it has gone: the run goes on
  return {
    terminal,
    get columns() {
      return Math.max(40, stream.columns || 80); // 0 where the terminal does not say
    },
    line(text) {
      stream.write(shown === '' ? `${text}\n` : `${ERASE}${text}\n${shown}`);
    },
    status(text) {
      if (!terminal) return;
      shown = text;
      stream.write(ERASE + text);
    },
    clear() {
      if (shown !== '') stream.write(ERASE);
      shown = '';
    },
  };
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const COLOURS = { debug: '2', info: '0', warn: '33', error: '31' } as const;

/** A record of the log as a short line: `script| text`, `warning: eth0: text`. */
export function shortLine(level: LogLevel, fields: object, message: string, colour: boolean): string {
  const { script, callback, interface: name } = fields as { script?: unknown; callback?: unknown; interface?: unknown };
  const said = printable(message);
  if (script !== undefined && level === 'info') return `${printable(String(script))}| ${said}`;
  const where = script === undefined ? name : `script ${String(script)}${callback === undefined ? '' : `, ${String(callback)}`}`;
  const word = level === 'info' ? '' : level === 'warn' ? 'warning: ' : `${level}: `;
  const painted = colour && word !== '' ? `\u001b[${COLOURS[level]}m${word}\u001b[0m` : word;
  return `${painted}${where === undefined ? '' : `${printable(String(where))}: `}${said}`;
}

/** @param colour NO_COLOR is not set (https://no-color.org); colours are for terminals only */
export function createLog(level: LogLevel, screen: Screen, colour: boolean, format: LogFormat = screen.terminal ? 'text' : 'json'): Log {
  if (format === 'json') {
    // on a terminal they stand above the status line
    const above = { write: (line: string): void => screen.line(line.trimEnd()) };
    return pino(
      { level, base: { name: 'flowpatrol', pid: process.pid } },
      screen.terminal ? above : pino.destination({ fd: 2, sync: true }),
    );
  }
  const write = (of: LogLevel) => (fields: object, message: string) => {
    if (LEVELS.indexOf(of) >= LEVELS.indexOf(level)) screen.line(shortLine(of, fields, message, colour && screen.terminal));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
