/** Captures that are given to a running flowpatrol: src/server/uploads.ts. */
import { Type } from '@sinclair/typebox';
import { UPLOAD_STATES } from '../server/uploads.ts';
import { limited } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { object, oneOf, type Route, route } from './route.ts';
import { micros } from './schemas.ts';

const UploadSchema = object({
  id: Type.String(),
  name: Type.String(),
  interface: Type.String({ description: 'name of its interface' }),
  state: oneOf(UPLOAD_STATES),
  error: Type.Optional(Type.String()),
  size: Type.Integer({ description: 'bytes' }),
  position: Type.Integer({ description: 'bytes that are read' }),
  by: Type.String(),
  created: Type.Number({ description: 'ms since 1970' }),
  from: Type.Optional(micros('first packet')),
  to: Type.Optional(micros('last packet')),
});

export function uploadsRoutes({ uploads }: ApiDependencies): Route[] {
  if (uploads === undefined) return [];
  const unknown = (id: string): Problem => new Problem('unknown-upload', `There is no upload ${id}.`);
  return [
    route({
      method: 'get',
      path: '/uploads',
      role: 'viewer',
      tag: 'uploads',
      summary: 'Captures that were given: the queue, and how far each is',
      answer: object({ uploads: Type.Array(UploadSchema), most: Type.Integer({ description: 'largest file, bytes' }) }),
      handle: () => ({ uploads: uploads.list(), most: uploads.most }),
    }),
    route({
      method: 'post',
      path: '/uploads',
      role: 'operator',
      tag: 'uploads',
      summary: 'Gives a capture: it becomes an interface of its own, and is read when those before it are',
      doc: 'The body is the file: pcap or pcapng, also compressed with gzip.',
      problems: ['body-too-large', 'too-busy'],
      query: object({ name: Type.String({ description: 'of the file', maxLength: 1000, default: 'capture' }) }),
      consumes: 'application/octet-stream',
      answer: UploadSchema,
      status: 202,
      handle: ({ query: { name }, who, request }) => uploads.add(name, who.name, limited(request, uploads.most)),
    }),
    route({
      method: 'get',
      path: '/uploads/{id}',
      role: 'viewer',
      tag: 'uploads',
      summary: 'One of them',
      problems: ['unknown-upload'],
      answer: UploadSchema,
      handle({ param }) {
        const found = uploads.get(param('id'));
        if (found === undefined) throw unknown(param('id'));
        return found;
      },
    }),
    route({
      method: 'delete',
      path: '/uploads/{id}',
      role: 'operator',
      tag: 'uploads',
      summary: 'Ends it, and takes its interface away; flows and alerts of it stay in the history',
      problems: ['unknown-upload'],
      answer: object({}),
      handle({ param }) {
        if (!uploads.remove(param('id'))) throw unknown(param('id'));
        return {};
      },
    }),
  ];
}
