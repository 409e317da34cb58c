/** A thread that reads the tables of a book of hosts for others, and ends. Started by host-tables.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { readHostTables } from './host-tables.ts';

parentPort?.postMessage(readHostTables(workerData as Parameters<typeof readHostTables>[0]));
