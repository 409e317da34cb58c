/** Who logs in, where protocols say it in clear text. Passwords are never read. */
import type { EventView } from '../view.ts';
import { of, textField, whole } from './detail.ts';
import { bool, type Declared, each } from './field.ts';

// bits of the detail `login.state`
const ATTEMPTED = 1;
const FAILED = 2;
const ENCRYPTED = 4;
const DONE = 8;

const state =
  (bit: number) =>
  (view: EventView): boolean =>
    ((whole(view, 'login.state') ?? 0) & bit) !== 0;

const login = (prefix: string): Declared[] => [
  textField(`${prefix}.user`, 'user who logs in, at most 31 bytes', 'login.user'),
  bool(`${prefix}.auth_seen`, 'a login was tried', state(ATTEMPTED)),
  bool(`${prefix}.auth_failed`, 'the server refused the login', state(FAILED)),
  bool(`${prefix}.auth_tls`, 'the client went over to TLS before the login', state(ENCRYPTED)),
  bool(`${prefix}.auth_done`, 'the login is over', state(DONE)),
];

export const LOGIN_FIELDS: readonly Declared[] = each({ ours: true }, [
  ...of('FTP_CONTROL', login('protos.ftp')),
  ...of(['SMTP', 'SMTPS'], login('protos.smtp')),
  ...of(['POP3', 'POPS'], login('protos.pop')),
  ...of(['IMAP', 'IMAPS'], login('protos.imap')),
  ...of('Telnet', [textField('protos.telnet.user', 'user who logs in', 'telnet.username')]),
  ...of('Kerberos', [
    textField('protos.kerberos.hostname', 'host that asks for a ticket', 'kerberos.hostname'),
    textField('protos.kerberos.domain', 'realm', 'kerberos.domain'),
    textField('protos.kerberos.username', 'principal that asks for a ticket', 'kerberos.username'),
  ]),
]);
