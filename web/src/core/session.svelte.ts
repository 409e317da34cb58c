/** Who looks at the pages. */
import { includes } from '../../../src/api/roles.ts';
import { api, onSignedOut, type Role, type Who } from './api.ts';

let who = $state.raw<Who>();
/** Is it known yet whether somebody is signed in? */
let asked = $state(false);
let failed = $state.raw<Error>();

export const session = {
  get who() {
    return who;
  },
  get asked() {
    return asked;
  },
  get failed() {
    return failed;
  },
  may: (role: Role): boolean => who !== undefined && includes(who.role, role),

  async begin(): Promise<void> {
    onSignedOut(() => (who = undefined));
    failed = undefined;
    try {
      who = await api.session();
    } catch (error) {
      if ((error as { problem?: { code: string } }).problem?.code !== 'not-authenticated') failed = error as Error;
    }
    asked = true;
  },
  async signIn(name: string, password: string): Promise<void> {
    who = await api.signIn(name, password);
  },
  async signOut(): Promise<void> {
    await api.signOut();
    who = undefined;
  },
};
