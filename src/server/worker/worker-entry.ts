/** What the worker thread runs. */

import { workerData } from 'node:worker_threads';
import { closeAllHandles } from '../../udp/udp-handle';
import { SERVER_SYSTEM } from '../server-system';
import { ServerWorker } from './server-worker';
import type { WorkerSetup } from './worker';

const setup: WorkerSetup = workerData;
process.once('exit', closeAllHandles);
void new ServerWorker(setup, SERVER_SYSTEM);
