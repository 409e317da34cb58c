/** GET /scripts: the scripts of each interface, with calls, failures and alerts. */
import { Hono } from 'hono';
import type { ApiDependencies } from './dependencies.ts';

export const scriptsApi = ({ snapshot }: ApiDependencies): Hono => new Hono().get('/', (c) => c.json({ scripts: snapshot().scripts }));
