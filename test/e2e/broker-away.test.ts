import { mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';

describeWith(
  'rabbitmq-server',
  'without RabbitMQ, where messages may be kept here meanwhile',
  () => {
    let rabbit: RabbitServer;
    let hilum: RunningHilum | undefined;
    let partner: Awaited<ReturnType<typeof openPartner>>;

    beforeAll(async () => {
      partner = await openPartner(true);
      rabbit = await startRabbit();
      await rabbit.kill();
    }, 120_000);

    afterAll(async () => {
      await hilum?.stop();
      await rabbit.stop();
      partner.close();
    }, 120_000);

    it('Hilum starts, takes messages, says so, and delivers them in order when RabbitMQ is there', async () => {
      const [port = 0] = await findFreePorts(1);
      hilum = await startHilum({
        RABBITMQ_URL: rabbit.url,
        HILUM_BROKER_AWAY: 'spool',
        HILUM_DEMO: 'off',
        HILUM_FLOWS: writeFlows({
          lab: [mllpIn('lab-in', port, 'lab-out'), mllpOut('lab-out', partner.port)],
        }),
      });
      const indexes = [1, 2, 3];
      for (const index of indexes) {
        expect(await send(port, buildLabResult({ index, patient: 1 }))).toMatch(/^AA/);
      }
      const ready = await fetch(`${hilum.consoleUrl}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.text()).toContain('RabbitMQ');
      expect((await hilum.cli('queues')).stdout).toContain('spool.in.lab-in');
      expect((await hilum.cli('trace', controlIdOf(1))).stdout).toContain('spooled here');
      expect(partner.got).toEqual([]);
      await rabbit.start();
      await until(
        () => Promise.resolve(partner.got),
        (got) => got.length >= indexes.length,
        60_000,
      );
      expect([...new Set(partner.got)]).toEqual(indexes.map(controlIdOf));
    }, 180_000);
  },
);
