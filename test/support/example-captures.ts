/**
 * The captures beside the example scripts: each has what its script alerts about, and what looks like it and is harmless.
 *
 *   node test/support/example-captures.ts    writes scripts/callbacks/interface/alerts/flow/tests/NAME.pcap
 *
 * The same bytes come out every time. `story` is told on the script's page of the documentation (docs/examples.ts).
 * Outside addresses are those for documentation (RFC 5737), except where a script asks for countries: there they are root name servers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { certificate } from './conversations/certificate.ts';
import * as say from './conversations/messages.ts';
import { type Said, said, type TalkOf, tcpTalk, together, udpTalk } from './conversations/talk.ts';
import { type CapturedPacket, pcapFile } from './packets.ts';

export interface ExampleCapture {
  /** What is in it: sentences, in the order of time. */
  readonly story: readonly string[];
  readonly packets: () => CapturedPacket[];
}

const EXAMPLES = new URL('../../scripts/callbacks/interface/alerts/flow/', import.meta.url);
export const exampleCapture = (name: string): string => fileURLToPath(new URL(`tests/${name}.pcap`, EXAMPLES));

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const dnsTalk = (at: number, client: string, server: string, name: string, from: number, answered = true): CapturedPacket[] =>
  udpTalk({ at, client, server, from, to: 53 }, [
    said('client', say.dnsQuery(from, name)),
    ...(answered ? [said('server', say.dnsAnswer(from, name, '203.0.113.10'))] : []),
  ]);

/** A TLS 1.2 connection that fetches a little. */
const tlsTalk = (of: Omit<TalkOf, 'to'> & { readonly to?: number }, name?: string, clientHello = say.hello(name)): CapturedPacket[] =>
  tcpTalk({ to: 443, ...of }, [
    said('client', clientHello),
    said('server', say.serverHello()),
    said('client', say.clientFinished()),
    said('client', say.secret(300)),
    said('server', say.secret(900)),
  ]);

const httpTalk = (of: Omit<TalkOf, 'to'> & { readonly to?: number }, host: string, path = '/', thinking = 0.01): CapturedPacket[] =>
  tcpTalk({ to: 80, ...of }, [said('client', say.httpRequest(host, path)), said('server', say.httpAnswer('<html></html>'), thinking)]);

const sshStart: readonly Said[] = [
  said('client', say.sshBanner('OpenSSH_9.2')),
  said('server', say.sshBanner('OpenSSH_9.2p1 Debian-2')),
  said('client', say.sshKeyExchange()),
  said('server', say.sshKeyExchange()),
  said('client', say.sshSecret(80)),
  said('server', say.sshSecret(400)),
];

/** A login that was refused: the connection is over after some packets. */
const sshTry = (at: number, client: string, server: string, from: number): CapturedPacket[] =>
  tcpTalk({ at, client, server, from, to: 22 }, [...sshStart, said('client', say.sshSecret(60)), said('server', say.sshSecret(60))]);

/** A session in which somebody types now and then. */
const sshSession = (at: number, client: string, server: string, seconds: number): CapturedPacket[] =>
  tcpTalk({ at, client, server, to: 22 }, [...sshStart, ...times(Math.floor(seconds / 50), () => said('client', say.sshSecret(36), 50))]);

const DATA = ['mzxw6ytboi2dknrtgqzdcmrt', 'pfxxk4tfeb2gqzjaon2xe2lu', 'nfxgoidumf2ca5dinfzsa3lf', 'ozsxe6jajrxw4zzamrqxiyjb'];

/** @param every seconds between two frames of 64 KiB */
const upload = (of: Omit<TalkOf, 'to'>, mebibytes: number, every: number): CapturedPacket[] =>
  tcpTalk({ to: 443, snap: 54, ...of }, [
    said('client', say.hello('upload.example.net')),
    said('server', say.serverHello()),
    said('client', say.clientFinished()),
    ...times(mebibytes * 16, () => said('client', new Uint8Array(65_400), every)),
  ]);

const certified = (of: Omit<TalkOf, 'to'>, name: string, issuer: string, notBefore: string, notAfter: string): CapturedPacket[] =>
  tcpTalk({ to: 443, ...of }, [
    said('client', say.hello(name)),
    said('server', say.serverHello(certificate({ subject: name, issuer, notBefore, notAfter }))),
    said('client', say.clientFinished()),
    said('server', say.secret(500)),
  ]);

/** File transfer by FTP up to the login. */
const ftp = (of: Omit<TalkOf, 'to'>, lines: readonly (readonly [Said['by'], string])[]): CapturedPacket[] =>
  tcpTalk(
    { to: 21, ...of },
    lines.map(([by, line]) => said(by, `${line}\r\n`)),
  );

/** By name of the script. */
export const EXAMPLE_CAPTURES: Readonly<Record<string, ExampleCapture>> = {
  bad_line: {
    story: [
      '192.168.1.20 fetches a file from the LAN server 192.168.1.10; every second segment comes three times: an alert.',
      '192.168.1.21 fetches the same; one segment of 40 comes twice: that happens on every network.',
    ],
    packets: () => {
      const fetch = (client: string, from: number, copies: (i: number) => number): CapturedPacket[] =>
        tcpTalk({ at: from % 100, client, server: '192.168.1.10', from, to: 80 }, [
          said('client', say.httpRequest('files.example.lan', '/report.pdf')),
          ...times(40, (i) => said('server', `${say.httpAnswer('x'.repeat(200))}${i}`, 0.02, copies(i))),
        ]);
      return together(
        fetch('192.168.1.20', 50_000, (i) => 1 + 2 * (i % 2)),
        fetch('192.168.1.21', 50_001, (i) => (i === 20 ? 2 : 1)),
      );
    },
  },

  beaconing: {
    story: [
      '192.168.1.77 connects to 203.0.113.66 every 60 s, give or take half a second, 12 times: an alert at the ninth.',
      '192.168.1.20 connects to 198.51.100.7 as often, whenever its user clicks.',
    ],
    packets: () => {
      const clicks = [0, 7, 95, 101, 260, 262, 370, 480, 555, 561, 600, 660];
      return together(
        ...times(12, (i) =>
          tlsTalk(
            { at: 5 + 60 * i + (i % 3) * 0.5, client: '192.168.1.77', server: '203.0.113.66', from: 51_000 + i },
            'cdn.updates.example',
          ),
        ),
        ...clicks.map((at, i) => tlsTalk({ at, client: '192.168.1.20', server: '198.51.100.7', from: 52_000 + i }, 'www.example.org')),
      );
    },
  },

  clear_text_login: {
    story: [
      '192.168.1.20 logs in by FTP as `anna`: an alert.',
      '192.168.1.20 sends a password with HTTP basic authentication: an alert.',
      '192.168.1.21 logs in by FTP as `anonymous`: that password is no secret.',
      '192.168.1.21 turns FTP into TLS before it logs in.',
      '192.168.1.21 fetches a page by HTTP without a password.',
    ],
    packets: () => {
      const login = (user: string): (readonly [Said['by'], string])[] => [
        ['server', '220 FTP server ready'],
        ['client', `USER ${user}`],
        ['server', '331 Password required'],
        ['client', 'PASS winter2026'],
        ['server', '230 Logged in'],
        ['client', 'PWD'],
        ['server', '257 "/"'],
      ];
      return together(
        ftp({ at: 0, client: '192.168.1.20', server: '192.168.1.10' }, login('anna')),
        tcpTalk({ at: 10, client: '192.168.1.20', server: '192.168.1.10', to: 80 }, [
          said('client', say.httpRequest('wiki.example.lan', '/', ['Authorization: Basic YW5uYTp3aW50ZXIyMDI2'])),
          said('server', say.httpAnswer('<html></html>')),
        ]),
        ftp({ at: 20, client: '192.168.1.21', server: '198.51.100.21' }, login('anonymous')),
        tcpTalk({ at: 30, client: '192.168.1.21', server: '192.168.1.10', from: 50_001, to: 21 }, [
          said('server', '220 FTP server ready\r\n'),
          said('client', 'AUTH TLS\r\n'),
          said('server', '234 Proceed\r\n'),
          said('client', say.hello('files.example.lan')),
          said('server', say.serverHello()),
          said('client', say.secret(60)),
        ]),
        httpTalk({ at: 40, client: '192.168.1.21', server: '192.168.1.10' }, 'wiki.example.lan'),
      );
    },
  },

  dns_exfiltration: {
    story: [
      '192.168.1.66 asks for six names full of data below `evil.example`: an alert at the fifth.',
      '192.168.1.20 asks for six long names made of words below `images.example`.',
      '192.168.1.21 asks six times for one long, random name, as caches and load balancers have them.',
    ],
    packets: () => {
      const data = (i: number): string => `${DATA[i % 4]}.${i}${DATA[(i + 1) % 4]}`;
      return together(
        ...times(6, (i) => dnsTalk(5 * i, '192.168.1.66', '192.168.1.1', `${data(i)}.evil.example`, 50_000 + i)),
        ...times(6, (i) =>
          dnsTalk(
            1 + 5 * i,
            '192.168.1.20',
            '192.168.1.1',
            `page-${i}-of-the-pictures-that-belong-to-all-our-pages.images.example`,
            51_000 + i,
          ),
        ),
        ...times(6, (i) => dnsTalk(2 + 5 * i, '192.168.1.21', '192.168.1.1', `${data(0)}.cdn.example`, 52_000 + i)),
      );
    },
  },

  foreign_dns: {
    story: [
      '192.168.1.20 asks its router, 192.168.1.1, and the public resolver 9.9.9.9: both are on the list.',
      '192.168.1.66 asks 203.0.113.53, which nobody here has heard of: an alert, and only one for two questions.',
      '192.168.1.66 asks 203.0.113.54, which does not answer: no alert.',
    ],
    packets: () =>
      together(
        dnsTalk(0, '192.168.1.20', '192.168.1.1', 'www.example.org', 50_000),
        dnsTalk(1, '192.168.1.20', '9.9.9.9', 'www.example.org', 50_001),
        dnsTalk(2, '192.168.1.66', '203.0.113.53', 'www.example.org', 50_002),
        dnsTalk(3, '192.168.1.66', '203.0.113.53', 'www.example.com', 50_003),
        dnsTalk(4, '192.168.1.66', '203.0.113.54', 'www.example.org', 50_004, false),
      ),
  },

  large_upload: {
    story: [
      '192.168.1.66 sends 203.0.113.80 24 MiB in a minute, and then 48 MiB more in a flow of over half an hour: an alert while that goes on.',
      '192.168.1.20 sends 198.51.100.80 20 MiB.',
      'The frames are 64 KiB long, as cards with segmentation offload show them, and cut off after 54 bytes.',
    ],
    packets: () =>
      together(
        upload({ at: 10, client: '192.168.1.66', server: '203.0.113.80' }, 24, 0.1),
        upload({ at: 100, client: '192.168.1.66', server: '203.0.113.80', from: 50_001 }, 48, 2.9),
        upload({ at: 100, client: '192.168.1.20', server: '198.51.100.80' }, 20, 0.1),
      ),
  },

  latency_sla: {
    story: [
      'The web server 192.168.1.10 answers four requests after 0.8 s: an alert at the third.',
      'The web server 192.168.1.11 answers three of nine requests late.',
      'The server 198.51.100.7 is late each time, but it is not ours.',
    ],
    packets: () =>
      together(
        ...times(4, (i) =>
          httpTalk({ at: 10 * i, client: '192.168.1.20', server: '192.168.1.10', from: 50_000 + i }, 'shop.example.lan', '/', 0.8),
        ),
        ...times(9, (i) =>
          httpTalk(
            { at: 2 + 10 * i, client: '192.168.1.20', server: '192.168.1.11', from: 51_000 + i },
            'wiki.example.lan',
            '/',
            i % 3 === 1 ? 0.8 : 0.02,
          ),
        ),
        ...times(4, (i) =>
          httpTalk({ at: 4 + 10 * i, client: '192.168.1.20', server: '198.51.100.7', from: 52_000 + i }, 'www.example.org', '/', 0.9),
        ),
      ),
  },

  long_ssh: {
    story: [
      '192.168.1.20 has an SSH session of 75 minutes with 198.51.100.22: an alert once it is an hour old.',
      '192.168.1.21 has one of 20 minutes.',
    ],
    packets: () =>
      together(
        sshSession(0, '192.168.1.20', '198.51.100.22', 75 * MINUTE),
        sshSession(MINUTE, '192.168.1.21', '198.51.100.22', 20 * MINUTE),
      ),
  },

  new_server_port: {
    story: [
      'Monday: 192.168.1.10 serves HTTPS and SSH. The script learns.',
      'Tuesday: HTTPS again; 192.168.1.10 refuses port 3389; then it serves port 8080: an alert.',
    ],
    packets: () =>
      together(
        tlsTalk({ at: 0, client: '192.168.1.20', server: '192.168.1.10' }, 'wiki.example.lan'),
        sshTry(MINUTE, '192.168.1.20', '192.168.1.10', 50_001),
        tlsTalk({ at: DAY + HOUR, client: '192.168.1.21', server: '192.168.1.10' }, 'wiki.example.lan'),
        tcpTalk({ at: DAY + HOUR + 20, client: '192.168.1.21', server: '192.168.1.10', from: 50_001, to: 3389 }, [], 'refused'),
        httpTalk({ at: DAY + HOUR + 40, client: '192.168.1.21', server: '192.168.1.10', from: 50_002, to: 8080 }, '192.168.1.10:8080'),
      ),
  },

  port_scan: {
    story: [
      '192.168.1.66 tries 40 ports of 192.168.1.10, which refuses them: one alert of a port scan.',
      '192.168.1.67 tries port 445 of 40 hosts that do not answer: one alert of a sweep.',
      '192.168.1.20 has a program that tries a switched-off printer thirty times.',
      '192.168.1.30 watches over 30 hosts: it connects to their SSH ports and hangs up.',
    ],
    packets: () =>
      together(
        ...times(40, (i) =>
          tcpTalk({ at: 0.1 * i, client: '192.168.1.66', server: '192.168.1.10', from: 50_000 + i, to: 20 + 7 * i }, [], 'refused'),
        ),
        ...times(40, (i) =>
          tcpTalk({ at: 30 + 0.1 * i, client: '192.168.1.67', server: `192.168.2.${i + 1}`, from: 51_000 + i, to: 445 }, [], 'silent'),
        ),
        ...times(30, (i) =>
          tcpTalk({ at: 5 * i, client: '192.168.1.20', server: '192.168.1.90', from: 52_000 + i, to: 9100 }, [], 'silent'),
        ),
        ...times(30, (i) => tcpTalk({ at: 2 * i, client: '192.168.1.30', server: `192.168.3.${i + 1}`, from: 53_000 + i, to: 22 }, [])),
      ),
  },

  remote_access: {
    story: [
      '203.0.113.99 opens a remote desktop (RDP) on 192.168.1.30: an alert.',
      '192.168.1.20 opens one on 192.168.1.30 too, from inside.',
      '203.0.113.99 tries 192.168.1.31, which refuses the connection.',
    ],
    packets: () => {
      const desktop: readonly Said[] = [
        said('client', say.rdpRequest('anna')),
        said('server', say.rdpConfirm()),
        said('client', say.hello('desktop-30.example.lan')),
        said('server', say.serverHello()),
        said('client', say.clientFinished()),
        said('server', say.secret(800)),
      ];
      return together(
        tcpTalk({ at: 0, client: '203.0.113.99', server: '192.168.1.30', to: 3389 }, desktop),
        tcpTalk({ at: 10, client: '192.168.1.20', server: '192.168.1.30', to: 3389 }, desktop),
        tcpTalk({ at: 20, client: '203.0.113.99', server: '192.168.1.31', from: 50_001, to: 3389 }, [], 'refused'),
      );
    },
  },

  ssh_guessing: {
    story: [
      '203.0.113.99 makes 14 short SSH connections to 192.168.1.10 within two minutes: one alert.',
      '192.168.1.20 makes five, as a script that copies files does.',
    ],
    packets: () =>
      together(
        ...times(14, (i) => sshTry(8 * i, '203.0.113.99', '192.168.1.10', 50_000 + i)),
        ...times(5, (i) => sshTry(3 + 8 * i, '192.168.1.20', '192.168.1.10', 51_000 + i)),
      ),
  },

  tls_certificates: {
    story: [
      'The certificate of 192.168.1.10 ended on 1 December 2025: an alert.',
      'That of 203.0.113.44 is signed by itself: an alert.',
      'That of 192.168.1.11 ends in nine days: an alert with severity info.',
      'That of 198.51.100.7 is valid for months, and signed by an authority.',
      'That of 198.51.100.8 ends in nine days too, but it is not ours.',
    ],
    packets: () =>
      together(
        certified(
          { at: 0, client: '192.168.1.20', server: '192.168.1.10' },
          'wiki.example.lan',
          'Example CA',
          '250101000000Z',
          '251201000000Z',
        ),
        certified(
          { at: 10, client: '192.168.1.20', server: '203.0.113.44' },
          'updates.example',
          'updates.example',
          '250601000000Z',
          '350601000000Z',
        ),
        certified(
          { at: 20, client: '192.168.1.20', server: '192.168.1.11' },
          'shop.example.lan',
          'Example CA',
          '250801000000Z',
          '260114120000Z',
        ),
        certified(
          { at: 30, client: '192.168.1.20', server: '198.51.100.7' },
          'www.example.org',
          'Example CA',
          '251101000000Z',
          '260801000000Z',
        ),
        certified(
          { at: 40, client: '192.168.1.20', server: '198.51.100.8' },
          'www.example.com',
          'Example CA',
          '250801000000Z',
          '260114120000Z',
        ),
      ),
  },

  tls_new_country: {
    story: [
      'First week: 192.168.1.20 speaks TLS with servers in the United States and the Netherlands. The script learns.',
      'Second week: with the Netherlands again; then with Japan: an alert.',
      'Second week: 192.168.1.21 appears and speaks TLS with Japan too: the script has only begun to know this host.',
    ],
    packets: () =>
      together(
        tlsTalk({ at: 0, client: '192.168.1.20', server: '198.41.0.4', from: 50_000 }, 'www.example.com'),
        tlsTalk({ at: HOUR, client: '192.168.1.20', server: '193.0.14.129', from: 50_001 }, 'www.example.nl'),
        tlsTalk({ at: 7 * DAY + HOUR, client: '192.168.1.20', server: '193.0.14.129', from: 50_002 }, 'www.example.nl'),
        tlsTalk({ at: 7 * DAY + 2 * HOUR, client: '192.168.1.20', server: '202.12.27.33', from: 50_003 }, 'www.example.jp'),
        tlsTalk({ at: 7 * DAY + 3 * HOUR, client: '192.168.1.21', server: '202.12.27.33', from: 50_004 }, 'www.example.jp'),
      ),
  },

  tls_policy: {
    story: [
      '192.168.1.20 speaks with `eu1.remote-control.example`, a name of the list: an alert.',
      '192.168.1.66 shows a fingerprint (JA3) of the list, with no name: an alert.',
      '192.168.1.21 speaks with `not-remote-control.example`, whose name only ends alike.',
      '192.168.1.5, the help desk, may use remote control.',
    ],
    packets: () =>
      together(
        tlsTalk({ at: 0, client: '192.168.1.20', server: '203.0.113.20' }, 'eu1.remote-control.example'),
        tlsTalk({ at: 10, client: '192.168.1.66', server: '203.0.113.66' }, undefined, say.hello(undefined)),
        tlsTalk({ at: 20, client: '192.168.1.21', server: '203.0.113.21' }, 'not-remote-control.example'),
        tlsTalk({ at: 30, client: '192.168.1.5', server: '203.0.113.20' }, 'eu1.remote-control.example'),
      ),
  },
};

if (import.meta.main) {
  mkdirSync(new URL('tests/', EXAMPLES), { recursive: true });
  for (const [name, { packets }] of Object.entries(EXAMPLE_CAPTURES)) writeFileSync(exampleCapture(name), pcapFile(packets()));
}
