/**
 * Which servers show a bad certificate?
 *
 * A certificate that is over, or that no authority has signed, teaches users to click warnings away, and hides who listens. One alert a day
 * for each server and fault; a local server whose certificate ends within two weeks is told too, while there is time.
 */
import { cache, defineScript } from 'flowpatrol';

const DAY = 86_400;
const SOON = 14 * DAY;

/** Times in s since 1970. Undefined: the certificate is all right. */
function faultOf(now: number, begins: number, ends: number, isSelfSigned: boolean, isOurs: boolean): string | undefined {
  if (ends < now) return 'ended';
  if (begins > now) return 'not yet valid';
  if (isSelfSigned) return 'self-signed';
  return isOurs && ends - now < SOON ? 'ends soon' : undefined;
}

export default defineScript({
  key: 'tls_certificates',
  title: 'Bad TLS certificate',
  description: 'Alerts about certificates that have ended, end soon, or are signed by themselves',

  filter: { l7: 'TLS' },

  protocolDetected(info, flow) {
    const ends = info['protos.tls.notAfter']; // present when the server's certificate was seen: not in TLS 1.3, which encrypts it
    if (ends === undefined) return;
    const now = info['seen.first'];
    const isSelfSigned = info['protos.tls.issuerDN'] === info['protos.tls.subjectDN'];
    const fault = faultOf(now, info['protos.tls.notBefore'] ?? 0, ends, isSelfSigned, info['srv.localhost']);
    if (fault === undefined) return;

    const told = `tls_certificates:${info['srv.ip']}:${info['srv.port']}:${fault}`;
    if (cache.get(told) !== undefined) return;
    cache.set(told, '1', DAY);
    flow.alert('potentially_dangerous_protocol', fault === 'ends soon' ? 'info' : 'warning', {
      fault,
      names: info['protos.tls.server_names'],
      issuer: info['protos.tls.issuerDN'],
      ends: new Date(ends * 1000).toISOString(),
    });
  },
});
