/** GET /interfaces: everything that is known of each `-i`, all counters included. */
import { Hono } from 'hono';
import type { ApiDependencies } from './dependencies.ts';

export const interfacesApi = ({ snapshot }: ApiDependencies): Hono =>
  new Hono().get('/', (c) => c.json({ interfaces: snapshot().interfaces }));
