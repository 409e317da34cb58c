/**
 * Which TLS connections are against the rules of the house?
 *
 * The name that a client asks for (SNI) and the fingerprint of its hello (JA3) are readable although all else is encrypted. The lists below are
 * examples: put in the names and the fingerprints that your rules are about. One alert an hour for each client and rule.
 */
import { cache, defineScript } from 'flowpatrol';

/** Names and all that is below them, and why they are here. */
const NAMES = new Map([
  ['remote-control.example', 'remote control is for the help desk'],
  ['file-drop.example', 'files leave the house by our own server'],
]);
/** JA3, and what makes it. */
const FINGERPRINTS = new Map([['d473b2965e9957d67102f1f68b3cea0f', 'a tool that we no longer use']]);
/** Hosts for which no rule holds. */
const MAY = new Set(['192.168.1.5']);
const HOUR = 3600;

/** The rule about a name: that of the name itself, or of the nearest name above it. */
function ruleOf(name: string): string | undefined {
  const labels = name.split('.');
  for (let i = 0; i < labels.length; i++) {
    const rule = NAMES.get(labels.slice(i).join('.'));
    if (rule !== undefined) return rule;
  }
  return undefined;
}

export default defineScript({
  key: 'tls_policy',
  title: 'TLS policy',
  description: 'Alerts about server names and client fingerprints that are on a list',

  filter: { l7: 'TLS' },

  protocolDetected(info, flow) {
    if (!info['cli.localhost'] || MAY.has(info['cli.ip'])) return;
    const name = info['protos.tls.client_requested_server_name'];
    const ja3 = info['protos.tls.ja3.client_hash'];
    const rule = ruleOf(name?.toLowerCase() ?? '') ?? FINGERPRINTS.get(ja3 ?? '');
    if (rule === undefined) return;

    const told = `tls_policy:${info['cli.ip']}:${rule}`;
    if (cache.get(told) !== undefined) return;
    cache.set(told, '1', HOUR);
    flow.alert('suspicious_activity', 'warning', { rule, name, ja3 });
  },
});
