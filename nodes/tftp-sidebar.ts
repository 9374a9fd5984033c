import { registerSidebarRoutes } from '../src/node-red/sidebar-routes';
import type { NodeAPI } from 'node-red';

export = function (RED: NodeAPI): void {
  registerSidebarRoutes(RED);
};
