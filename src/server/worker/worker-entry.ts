/** What the worker thread runs. */

import { workerData } from 'node:worker_threads';
import { SERVER_SYSTEM } from '../server-system';
import { ServerWorker } from './server-worker';
import type { WorkerSetup } from './worker';

const setup: WorkerSetup = workerData;
void new ServerWorker(setup, SERVER_SYSTEM);
