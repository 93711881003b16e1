import { createServer } from 'node:http';
import express from 'express';
import { buildStationRouter } from '../../console/api/station.ts';
import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { Settings } from '../settings.ts';

/** Health and figures of one role, on the port that the console would have. */
export interface StationServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Rejects where the address cannot be had. */
export async function startStationServer(options: {
  readonly settings: Settings;
  readonly status: () => ControlStatus;
  readonly problems: () => readonly Problem[];
}): Promise<StationServer> {
  const { bind, port } = options.settings;
  const app = express();
  app.disable('x-powered-by');
  app.use(buildStationRouter(options));
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, bind, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    url: `http://${bind}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
