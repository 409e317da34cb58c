/** What went wrong, in the reader's language as far as there are words for it: what exactly, the server says in English. */
import { ApiError, Offline } from './api.ts';
import { f, fieldTitle, t } from './text.svelte.ts';

export function failureText(failure: unknown): string {
  const error = failure as Error;
  if (error instanceof Offline) return t('state.offlineHelp');
  if (!(error instanceof ApiError) || error.problem.type === '' || f.language === 'en') return error.message;
  const { code, title, detail } = error.problem;
  return `${fieldTitle(`problem.${code}`, title)}: ${detail || title}`;
}
