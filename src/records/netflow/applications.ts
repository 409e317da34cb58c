/**
 * Names of applications as Cisco's NBAR gives them, where nDPI calls the same thing otherwise. A name that is not here goes on as it is:
 * who takes the record looks for it among nDPI's names without regard to case.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['active-directory', 'LDAP'],
  ['apple-services', 'Apple'],
  ['ftp', 'FTP_CONTROL'],
  ['ftp-data', 'FTP_DATA'],
  ['cifs', 'SMBv23'],
  ['exchange', 'Microsoft'],
  ['google-services', 'GoogleServices'],
  ['ipv6-icmp', 'ICMPV6'],
  ['ldaps', 'LDAP'],
  ['ms-office-365', 'Microsoft365'],
  ['ms-rpc', 'DCE_RPC'],
  ['ms-services', 'Microsoft'],
  ['ms-teams', 'Teams'],
  ['ms-update', 'WindowsUpdate'],
  ['ms-wbt', 'RDP'],
  ['netbios-dgm', 'NetBIOS'],
  ['netbios-ns', 'NetBIOS'],
  ['netbios-ssn', 'NetBIOS'],
  ['secure-http', 'TLS'],
  ['secure-imap', 'IMAPS'],
  ['secure-ldap', 'LDAP'],
  ['secure-pop3', 'POPS'],
  ['secure-smtp', 'SMTPS'],
  ['skype', 'Skype_Teams'],
  ['sqlserver', 'MsSQL-TDS'],
  ['ssl', 'TLS'],
  ['web-browsing', 'HTTP'],
]);

const UNKNOWN = new Set(['unknown', 'unclassified']);

/** @returns '' for a name that says nothing */
export function applicationName(name: string): string {
  const lower = name.toLowerCase();
  return UNKNOWN.has(lower) ? '' : (NAMES.get(lower) ?? name);
}
