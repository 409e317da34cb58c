/** GET /lists: the category lists, with entries and the last error. */
import { Hono } from 'hono';
import type { ApiDependencies } from './dependencies.ts';

export const listsApi = ({ listStatus }: ApiDependencies): Hono => new Hono().get('/', (c) => c.json({ lists: listStatus() }));
