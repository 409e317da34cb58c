/** What detection read of name queries: DNS, and the two protocols of the local network that use its messages. */
import type { EventView } from '../view.ts';
import { of, textField, whole, wholeField } from './detail.ts';
import { bool, type Declared, each, int, string } from './field.ts';

/** The name asked for, with `?` for what cannot be printed. */
export const dnsQuery = (view: EventView): string | undefined => view.text('host_server_name')?.replace(/[^\x20-\x7e]/g, '?');

/** A query was seen: its name, or at least its type. */
const queried = (view: EventView): boolean => dnsQuery(view) !== undefined || whole(view, 'dns.query_type') !== undefined;

const querySeen = { when: 'query seen' };

const answers = (prefix: string): Declared[] =>
  each({ ours: true }, [
    wholeField(
      `${prefix}.num_answers`,
      'resource records of the last message beside its question: answers, authorities, additional ones',
      'dns.num_answers',
    ),
    wholeField(`${prefix}.answer_type`, 'type of the first answer (A 1, CNAME 5, PTR 12, AAAA 28, …)', 'dns.answer_type', {
      when: 'answer seen',
    }),
    textField(`${prefix}.answer_address`, 'first address of the answer', 'dns.answer_address', { when: 'answered by an address' }),
  ]);

/** mDNS and LLMNR: keys of our own. */
const local = (prefix: string): Declared[] => [
  string(`${prefix}.query`, 'name asked for or announced; what cannot be printed is `?`', dnsQuery, { ours: true, when: 'known' }),
  wholeField(`${prefix}.query_type`, 'type asked for (A 1, PTR 12, AAAA 28, …)', 'dns.query_type', { ours: true, when: 'query seen' }),
  ...answers(prefix),
];

export const DNS_FIELDS: readonly Declared[] = [
  ...of('DNS', [
    ...each({ getter: 'getDNSInfo' }, [
      string('protos.dns.last_query', 'name asked for; what cannot be printed is `?`', dnsQuery, querySeen),
      wholeField('protos.dns.last_query_type', 'type asked for (RFC 1035: A 1, NS 2, …)', 'dns.query_type', querySeen),
      int(
        'protos.dns.last_return_code',
        'code of the last answer (RFC 1035: 3 = no such name), 0 if there was none',
        (view) => (queried(view) ? (whole(view, 'dns.reply_code') ?? 0) : undefined),
        querySeen,
      ),
    ]),
    bool(
      'protos.dns.invalid_chars_in_query',
      'does the name have characters that no name may have?',
      (view) => (queried(view) ? whole(view, 'dns.invalid_chars') === 1 : undefined),
      { since: '4.0', when: 'query seen' },
    ),
    ...answers('protos.dns'),
  ]),
  ...of('MDNS', local('protos.mdns')),
  ...of('LLMNR', local('protos.llmnr')),
];
