/**
 * Who asks other DNS servers than ours?
 *
 * Malware that changes a computer's DNS settings decides where all its names lead. A local host that gets an answer of a server that is
 * neither local nor on the list makes an alert, once a day for each server.
 */
import { cache, defineScript } from 'flowpatrol';

/** Servers outside that are all right: large public resolvers. Add those of your provider, or delete them all. */
const RESOLVERS = new Set([
  ...['1.1.1.1', '1.0.0.1', '2606:4700:4700::1111', '2606:4700:4700::1001'], // Cloudflare
  ...['8.8.8.8', '8.8.4.4', '2001:4860:4860::8888', '2001:4860:4860::8844'], // Google
  ...['9.9.9.9', '149.112.112.112', '2620:fe::fe', '2620:fe::9'], // Quad9
]);
/** Our own resolvers ask servers all over the world. */
const OURS = new Set(['192.168.1.1']);
const DAY = 86_400;

export default defineScript({
  key: 'foreign_dns',
  title: 'Foreign DNS server',
  description: 'Alerts when a local host asks a DNS server that is neither local nor on the list',

  filter: { l7: 'DNS' }, // the script is not even called for other flows

  protocolDetected(info, flow) {
    if (!info['cli.localhost'] || info['srv.localhost'] || info['srv.broadmulticast']) return;
    if (RESOLVERS.has(info['srv.ip']) || OURS.has(info['cli.ip'])) return;
    if (info['srv2cli.packets'] === 0) return; // nobody there

    const told = `foreign_dns:${info['cli.ip']}:${info['srv.ip']}`;
    if (cache.get(told) !== undefined) return;
    cache.set(told, '1', DAY);
    flow.alert('unexpected_dns_server', 'warning', {
      server: info['srv.ip'],
      country: info['srv.country'],
      query: info['protos.dns.last_query'],
    });
  },
});
