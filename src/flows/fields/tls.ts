/**
 * What detection read of TLS handshakes, also where other protocols carry them.
 *
 *   protos.ssl*, protos.tls*   flows that are TLS (ntopng's keys; mail over TLS, DTLS and QUIC are not)
 *   protos.mail_tls.*          SMTPS, POPS, IMAPS, also after STARTTLS
 *   protos.dtls.*              DTLS
 *   protos.quic.*              QUIC: the client's side alone, as the server's answer is encrypted
 */
import { FACT_JA3_CLIENT, FACT_JA3_SERVER, R_FACTS } from '../record.ts';
import type { DetailName, EventView } from '../view.ts';
import { commonName, of, textField, whole, wholeField } from './detail.ts';
import { bool, type Declared, each, type FieldValue, int, string } from './field.ts';

/** By nDPI's number of the weakness. */
const CIPHER_CLASSES = ['safe', 'weak', 'insecure'];

const ifServerHash = <T extends FieldValue>(view: EventView, value: T | undefined): T | undefined =>
  view.text('tls.ja3_server') === undefined ? undefined : value;
const hashKnown = { when: 'server hash known' };

const ja3Client = (key: string): Declared => textField(key, 'JA3 of the client hello, MD5 in hexadecimal', 'tls.ja3_client');
const isMalicious =
  (fact: number) =>
  (view: EventView): true | undefined =>
    (view.u32(R_FACTS) & fact) !== 0 || undefined;
const malicious = (prefix: string): Declared[] =>
  each({ when: 'the hash is on a list of malicious ones' }, [
    bool(`${prefix}.client_malicious`, 'the hash of the client is known from malware', isMalicious(FACT_JA3_CLIENT)),
    bool(`${prefix}.server_malicious`, 'the hash of the server is known from malware', isMalicious(FACT_JA3_SERVER)),
  ]);
const ja3 = (prefix: string): Declared[] => [
  ja3Client(`${prefix}.client_hash`),
  textField(`${prefix}.server_hash`, 'JA3S of the server hello, MD5 in hexadecimal', 'tls.ja3_server'),
  int(`${prefix}.server_cipher`, 'number of the cipher suite', (view) => ifServerHash(view, whole(view, 'tls.server_cipher')), hashKnown),
  string(
    `${prefix}.server_unsafe_cipher`,
    '`safe`, `weak` or `insecure`',
    (view) => ifServerHash(view, CIPHER_CLASSES[whole(view, 'tls.unsafe_cipher') ?? 0]),
    hashKnown,
  ),
  ...malicious(prefix),
];

const tlsVersion = (view: EventView): number => whole(view, 'tls.version') ?? 0;
const VERSION = 'version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown';
const REQUESTED: DetailName = 'host_server_name';

const clientAlpn = (prefix: string): Declared =>
  textField(`${prefix}.client_alpn`, 'application protocols that the client offers (RFC 7301)', 'tls.alpn');
const clientVersions = (prefix: string): Declared =>
  textField(`${prefix}.client_tls_supported_versions`, 'versions that the client offers', 'tls.supported_versions');
const requestedName = (prefix: string): Declared =>
  textField(`${prefix}.client_requested_server_name`, 'server name that the client asked for', REQUESTED);

const certificateNames = (prefix: string): Declared[] => [
  textField(`${prefix}.issuerDN`, 'issuer of the server certificate', 'tls.issuer'),
  textField(`${prefix}.subjectDN`, 'subject of the server certificate', 'tls.subject'),
];
const certificateTimes = (prefix: string): Declared[] => [
  wholeField(`${prefix}.notBefore`, 'begin of its validity', 'tls.not_before', { unit: 's since 1970' }),
  wholeField(`${prefix}.notAfter`, 'end of its validity', 'tls.not_after', { unit: 's since 1970' }),
];
const serverNames = (prefix: string): Declared =>
  textField(`${prefix}.server_names`, 'names in the server certificate, separated by commas', 'tls.server_names');
const fingerprint = (prefix: string): Declared => textField(`${prefix}.certificate_sha1`, 'SHA-1 of the server certificate', 'tls.sha1');

/** What ntopng has no key for, of a client hello. */
const helloOurs = (prefix: string): Declared[] => [
  textField(`${prefix}.ja4`, 'JA4 of the client hello', 'tls.ja4'),
  textField(`${prefix}.esni`, 'encrypted server name, in hexadecimal', 'tls.esni', { when: 'the client sent one' }),
  wholeField(`${prefix}.esni_cipher`, 'cipher suite of the encrypted server name', 'tls.esni_cipher', { when: 'the client sent one' }),
  textField(`${prefix}.browser`, '`Firefox`, `Chrome` or `Safari`, guessed from the client hello; often wrong', 'tls.browser', {
    when: 'nDPI guessed one',
  }),
];

/** The whole handshake below a prefix of our own. */
const handshake = (prefix: string): Declared[] =>
  each({ ours: true }, [
    int(`${prefix}.version`, VERSION, tlsVersion),
    requestedName(prefix),
    serverNames(prefix),
    clientAlpn(prefix),
    clientVersions(prefix),
    ...certificateNames(prefix),
    ...certificateTimes(prefix),
    fingerprint(prefix),
    ...ja3(`${prefix}.ja3`),
    ...helloOurs(prefix),
  ]);

export const TLS_FIELDS: readonly Declared[] = [
  ...of('TLS', [
    ...each({ getter: 'getSSLInfo' }, [
      int('protos.ssl_version', VERSION, tlsVersion),
      textField('protos.ssl.certificate', 'server name that the client asked for', REQUESTED),
      string('protos.ssl.server_certificate', 'common name of the server certificate', (view) => commonName(view.text('tls.subject')), {
        when: 'known',
      }),
      ...ja3('protos.ssl.ja3'),
    ]),
    ...each({ since: '4.0' }, [
      int('protos.tls_version', 'as `protos.ssl_version`', tlsVersion),
      requestedName('protos.tls'),
      serverNames('protos.tls'),
      clientAlpn('protos.tls'),
      clientVersions('protos.tls'),
    ]),
    ...each({ since: '4.2' }, certificateNames('protos.tls')),
    ...each({ since: '4.0' }, certificateTimes('protos.tls')),
    ...each({ ours: true }, [fingerprint('protos.tls')]),
    ...each({ since: '4.0' }, ja3('protos.tls.ja3')),
    ...each({ ours: true }, helloOurs('protos.tls')),
  ]),
  ...of(['SMTPS', 'POPS', 'IMAPS'], handshake('protos.mail_tls')),
  ...of('DTLS', handshake('protos.dtls')),
  ...of(
    'QUIC',
    each({ ours: true }, [
      wholeField('protos.quic.version', 'version of QUIC: 1 = RFC 9000, 1798521807 = RFC 9369, 0xff000000 + n = draft n', 'quic.version', {
        when: 'client hello read',
      }),
      int('protos.quic.tls_version', VERSION, tlsVersion),
      requestedName('protos.quic'),
      clientAlpn('protos.quic'),
      clientVersions('protos.quic'),
      ja3Client('protos.quic.ja3.client_hash'),
      ...helloOurs('protos.quic'),
      textField('protos.quic.user_agent', 'user agent that the client names', 'http.user_agent'),
    ]),
  ),
];
