/** Who has changed what: kept in the settings file, the newest {@link MOST_ENTRIES}. Written by app.ts and by logins; read by GET /audit. */
import type { Deed } from '../api/dependencies.ts';
import type { Settings } from '../store/settings.ts';

const MOST_ENTRIES = 10_000;

export interface AuditEntry {
  readonly id: number;
  /** ms since 1970. */
  readonly time: number;
  readonly user: string;
  readonly via: string;
  readonly address: string;
  readonly action: string;
  readonly detail: string;
  readonly outcome: string;
}

export interface AuditLog {
  add(deed: Deed): void;
  /** The newest first. @param before an id: only older ones */
  entries(limit: number, before: number | undefined): AuditEntry[];
}

export function createAuditLog({ database }: Settings, now: () => number): AuditLog {
  const put = database.prepare('INSERT INTO audit (time, user, via, address, action, detail, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)');
  const trim = database.prepare('DELETE FROM audit WHERE id <= ?');
  const some = database.prepare('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?');
  return {
    add({ who, action, detail, outcome }) {
      const { lastInsertRowid } = put.run(now(), who.name, who.via, who.address, action, detail, outcome);
      trim.run(Number(lastInsertRowid) - MOST_ENTRIES);
    },
    entries: (limit, before = Number.MAX_SAFE_INTEGER) => some.all(before, limit).map((row) => ({ ...row }) as unknown as AuditEntry),
  };
}
