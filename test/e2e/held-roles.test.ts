import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { UnmappedView } from '../../console/api/unmapped.ts';
import { mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  describeWith('postgres', 'held messages where roles run apart', () => {
    let rabbit: RabbitServer | undefined;
    let postgres: PostgresServer | undefined;
    let partner: Awaited<ReturnType<typeof openPartner>>;
    let port = 0;
    let mappings: string;
    let start: (name: string, env: Readonly<Record<string, string>>) => Promise<RunningHilum>;
    let console_: RunningHilum;
    const running: RunningHilum[] = [];

    beforeAll(async () => {
      [rabbit, postgres, partner] = await Promise.all([
        startRabbit(),
        startPostgres(),
        openPartner(true),
      ]);
      [port = 0] = await findFreePorts(1);
      mappings = path.join(makeTempFolder('held'), 'mappings');
      writeMappings(mappings);
      const shared = {
        RABBITMQ_URL: rabbit.url,
        HILUM_LEDGER_URL: await postgres.createDatabase(),
        HILUM_CREDENTIAL_SECRET: 'a secret of this test',
        HILUM_DEMO: 'off',
      };
      start = async (name, env) => {
        const HILUM_DATA = path.join(makeTempFolder(name), 'data');
        const started = await startHilum({ ...shared, HILUM_DATA, ...env });
        running.push(started);
        return started;
      };
      const flow = [
        { ...mllpIn('lab-in', port, 'lab-code'), lanes: '2' },
        {
          ...{ id: 'lab-code', type: 'code translate', name: '', table: 'sex', layers: 'acme' },
          ...{ source: 'v2', from: 'PID-8', to: '', onUnmapped: 'hold', wires: [['lab-out']] },
        },
        mllpOut('lab-out', partner.port),
      ];
      const folders = { HILUM_MAPPINGS: mappings, HILUM_FLOWS: writeFlows({ lab: flow }) };
      [console_] = await Promise.all([
        start('console', { HILUM_ROLE: 'console', ...folders }),
        start('worker', { HILUM_ROLE: 'worker' }),
        start('worker-2', { HILUM_ROLE: 'worker' }),
        start('edge', { HILUM_ROLE: 'edge' }),
      ]);
      await until(
        async () => (await fetch(`${console_.consoleUrl}/readyz`)).status,
        (status) => status === 200,
        60_000,
      );
    }, 240_000);

    afterAll(async () => {
      await Promise.all(running.map((each) => each.stop()));
      partner.close();
      await Promise.all([rabbit?.stop(), postgres?.stop()]);
    }, 120_000);

    const items = async (): Promise<readonly UnmappedView[]> =>
      (await console_.ask('GET', '/api/mapping/unmapped')).body as readonly UnmappedView[];
    const build = (index: number, patient: number, sex: string): string =>
      buildLabResult({ index, patient }).replace(/\|19700101\|[FM]\r/, `|19700101|${sex}\r`);

    it('go on in the order of their keys with whoever has their lane, each once', async () => {
      const patients = Array.from({ length: 20 }, (_, at) => at + 1);
      for (const patient of patients) {
        expect(await send(port, build(patient, patient, 'X'))).toMatch(/^AA/);
        expect(await send(port, build(100 + patient, patient, 'F'))).toMatch(/^AA/);
      }
      const [item] = await until(items, ([first]) => first?.waiting === 40, 60_000);
      expect(item).toMatchObject({ interface: 'lab', code: 'X', messages: 20, isMapped: false });
      appendFileSync(path.join(mappings, 'layers', 'acme', 'sex.csv'), '\nX,other');
      expect(await console_.cli('deploy')).toMatchObject({ code: 0 });
      await until(
        () => Promise.resolve(partner.got),
        ({ length }) => length >= 40,
        60_000,
      );
      expect(await until(items, ({ length }) => length === 0, 30_000)).toEqual([]);
      const all = [...patients, ...patients.map((patient) => 100 + patient)].map(controlIdOf);
      expect([...partner.got].sort()).toEqual(all);
      for (const patient of patients) {
        const [first, second] = [patient, 100 + patient].map(controlIdOf);
        expect(partner.got.indexOf(first!)).toBeLessThan(partner.got.indexOf(second!));
      }
      expect(partner.texts.filter((text) => text.includes('|19700101|other\r'))).toHaveLength(20);
    }, 240_000);
  });
});
