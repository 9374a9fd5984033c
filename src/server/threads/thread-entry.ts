/** What a worker thread runs. */

import { workerData } from 'node:worker_threads';
import { SERVER_SYSTEM } from '../server-system';
import { serveInThread } from './thread-work';
import type { ThreadSetup } from './thread';

const setup: ThreadSetup = workerData;
serveInThread(setup, SERVER_SYSTEM);
