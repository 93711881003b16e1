import express, { Router } from 'express';
import { change } from './admin-routes.ts';
import type { Control } from './control.ts';
import { HttpError, handle } from './http.ts';
import { readInterfaces, type InterfaceControl } from './interfaces.ts';
import type { Reader } from './reader.ts';

/** The interfaces one by one, below `/api`, behind the login: docs/console.md. */
export function buildInterfaceRouter(options: {
  readonly reader: Reader;
  readonly control: Control;
  readonly interfaces: InterfaceControl;
}): Router {
  const { control, interfaces } = options;
  const router = Router();
  router.use(express.json({ limit: '256kb' }));
  const find = (wanted: string): string => {
    const all = control.status().interfaces;
    const found = all.find(({ id }) => id === wanted);
    const named = all.filter(({ label }) => label === wanted);
    const id = found?.id ?? (named.length === 1 ? named[0]?.id : undefined);
    if (id !== undefined) return id;
    throw new HttpError(
      404,
      'interface-unknown',
      named.length > 1
        ? `Expected one interface of this name, found ${named.length}: use the id of one.`
        : 'Expected the id or the name of an interface, found none of that name; see hilum interfaces list.',
    );
  };

  router.get(
    '/interfaces',
    handle(async (_request, response) => {
      response.json(await readInterfaces(options));
    }),
  );
  router.get(
    '/interfaces/:interface',
    handle(async (request, response) => {
      const id = find(request.params['interface'] ?? '');
      response.json((await readInterfaces(options)).find((each) => each.id === id));
    }),
  );
  for (const verb of ['stop', 'start'] as const) {
    router.post(
      `/interfaces/:interface/${verb}`,
      change(async (request, mandate) => {
        const id = find(request.params['interface'] ?? '');
        await interfaces[verb](id, mandate);
        return control.status().interfaces.find((each) => each.id === id);
      }),
    );
  }
  return router;
}
