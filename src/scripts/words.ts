/** What scripts do, and the flows that they do it to, as one line of text for people. Pure; for `test`, `replay` and `explain`. */
import type { Callback } from '../flows/event.ts';
import { properText } from '../flows/export.ts';
import { l4Name, ndpiName } from '../flows/fields/protocols.ts';
import { statusById } from '../flows/statuses.ts';
import type { EventView } from '../flows/view.ts';
import type { Doing } from '../recording/format.ts';
import { printable } from './effects.ts';
import type { FlowChange } from './host.ts';
import type { RaisedAlert } from './runtime.ts';

/** Proper text on one line that does no harm to a terminal. */
const line = (latin1: string): string => printable(properText(latin1));

/** `TCP 10.0.0.1:51514 -> [2001:db8::1]:443 TLS.Google`, with the VLAN where there is one. */
export function flowLabel(view: EventView): string {
  const vlan = view.vlan();
  const hasPorts = view.clientPort() !== 0 || view.serverPort() !== 0;
  const end = (address: string, port: number): string =>
    hasPorts ? `${address.includes(':') ? `[${address}]` : address}:${port}` : address;
  const ends = `${end(view.client(), view.clientPort())} -> ${end(view.server(), view.serverPort())}`;
  return `${l4Name(view)} ${ends} ${line(ndpiName(view))}${vlan === 0 ? '' : ` vlan ${vlan}`}`;
}

/** Packet time, µs, in UTC: `2019-09-30T16:00:50.000001Z`. */
export function timeText(us: number): string {
  const seconds = Math.floor(us / 1e6);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(us);
  return `${date.toISOString().slice(0, 19)}.${String(us - seconds * 1e6).padStart(6, '0')}Z`;
}

export const statusName = (id: number): string => statusById.get(id)?.name ?? String(id);

/** Names of the bits of a bitmap that is exact below 2^53, weakest first. */
export function statusNames(bitmap: number): string[] {
  const names: string[] = [];
  for (let id = 0; id < 53; id++) if (Math.floor(bitmap / 2 ** id) % 2 === 1) names.push(statusName(id));
  return names;
}

/** `flow_misbehaviour, error, score 100, for status x {"a":1}` */
export function alertText({ alertType, alertTypeName, severity, severityName, score, status, info }: RaisedAlert): string {
  const parts = [alertTypeName ?? String(alertType), severityName ?? String(severity)];
  if (score !== undefined) parts.push(`score ${score}`);
  if (status !== undefined) parts.push(`for status ${statusName(status)}`);
  return line(parts.join(', ')) + (info === undefined ? '' : ` ${line(info)}`);
}

/** `status x set`, `score of client 20` */
export const changeText = ({ status, score }: FlowChange): string =>
  status === undefined ? `score of ${score?.of} ${score?.value}` : `status ${statusName(status.id)} ${status.set ? 'set' : 'cleared'}`;

/** The script that did it; of changes that of the first. */
export const scriptOf = (doing: Doing): string | undefined =>
  doing.type === 'alert'
    ? doing.alert.script
    : doing.type === 'changes'
      ? doing.changes[0]?.script
      : doing.type === 'trace'
        ? undefined
        : doing.script;

export const callbackOf = (doing: Doing): Callback | 'load' | undefined => {
  if (doing.type === 'alert') return doing.alert.callback;
  return doing.type === 'loaded' || doing.type === 'switched' ? undefined : doing.callback;
};

/** The lines of one doing; changes have one each. */
export function doingLines(doing: Doing): string[] {
  switch (doing.type) {
    case 'alert':
      return [`${doing.alert.shadow ? 'shadow alert' : 'alert'} ${alertText(doing.alert)}`];
    case 'print':
      return [`${doing.level} ${line(doing.line)}`];
    case 'error':
      return [`failed ${line(doing.message)}`];
    case 'changes':
      return doing.changes.map(changeText);
    case 'loaded':
      return [
        doing.version === undefined ? 'gone' : `version ${doing.version} ${doing.replaced ? 'replaces the one before' : 'is loaded'}`,
      ];
    case 'switched':
      return [`${doing.on ? 'on' : 'off'}: ${line(doing.reason)}`];
    case 'trace':
      return [];
  }
}
