/** Who logs in, where protocols say it in clear text. Passwords are never read. */
import { of, textField, whole } from './detail.ts';
import { bool, type Declared, each } from './field.ts';

// bits of the detail `login.state`; bit 0: a login was tried
const FAILED = 2;
const ENCRYPTED = 4;
const DONE = 8;

const state = (key: string, doc: string, bit: number): Declared =>
  bool(
    key,
    doc,
    (view) => {
      const bits = whole(view, 'login.state');
      return bits === undefined ? undefined : (bits & bit) !== 0;
    },
    { when: 'a login was tried' },
  );

const login = (prefix: string): Declared[] => [
  textField(`${prefix}.user`, 'user who logs in, at most 31 bytes', 'login.user'),
  state(`${prefix}.auth_failed`, 'did the server refuse the login?', FAILED),
  state(`${prefix}.auth_tls`, 'did the client ask for TLS before it logged in?', ENCRYPTED),
  state(`${prefix}.auth_done`, 'is the login over?', DONE),
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
