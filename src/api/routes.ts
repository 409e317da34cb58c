/** All routes, in the order of the document. A part of the program that is missing has none. */
import { accountsRoutes } from './accounts.ts';
import { alertsRoutes } from './alerts.ts';
import { declarationsRoutes } from './declarations.ts';
import type { ApiDependencies } from './dependencies.ts';
import { explainRoutes } from './explain.ts';
import { flowsRoutes } from './flows.ts';
import { historyRoutes } from './history.ts';
import { hostsRoutes } from './hosts.ts';
import { interfacesRoutes } from './interfaces.ts';
import { listsRoutes } from './lists.ts';
import { metricsRoutes } from './metrics.ts';
import { notificationsRoutes } from './notifications.ts';
import { preferencesRoutes } from './preferences.ts';
import type { Route } from './route.ts';
import { scriptsRoutes } from './scripts.ts';
import { sessionRoutes } from './session.ts';
import { statusRoutes } from './status.ts';
import { streamRoutes } from './stream.ts';
import { uploadsRoutes } from './uploads.ts';

const RESOURCES: readonly ((dependencies: ApiDependencies) => Route[])[] = [
  statusRoutes,
  interfacesRoutes,
  flowsRoutes,
  declarationsRoutes,
  hostsRoutes,
  historyRoutes,
  alertsRoutes,
  notificationsRoutes,
  scriptsRoutes,
  explainRoutes,
  preferencesRoutes,
  listsRoutes,
  uploadsRoutes,
  streamRoutes,
  metricsRoutes,
  sessionRoutes,
  accountsRoutes,
];

export const allRoutes = (dependencies: ApiDependencies): Route[] => RESOURCES.flatMap((resource) => resource(dependencies));
