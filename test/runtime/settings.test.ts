import path from 'node:path';
import { readSettings } from '../../runtime/settings.ts';

function settingsOf(env: Readonly<Record<string, string>>) {
  const read = readSettings(env);
  if (!read.ok) throw new Error(read.problems.join(' '));
  return read.settings;
}

describe('settings', () => {
  it('are complete without any environment', () => {
    expect(settingsOf({})).toMatchObject({
      bind: '127.0.0.1',
      port: 1880,
      mllpPort: 2575,
      ehrPort: 8103,
      receiverPort: 2576,
      demo: true,
      rabbitmqUrl: undefined,
      brokerAway: 'refuse',
      spool: { directory: path.resolve('data/spool'), maxBytes: 1024 ** 3 },
      dataDirectory: path.resolve('data'),
    });
  });

  it('tell all problems at once', () => {
    const read = readSettings({
      HILUM_PORT: 'abc',
      HILUM_MLLP_PORT: '70000',
      HILUM_DEMO: 'maybe',
      RABBITMQ_URL: 'http://rabbit',
      HILUM_LOG: 'loud',
      HILUM_BROKER_AWAY: 'drop',
      HILUM_SPOOL_MIB: '0',
      HILUM_PACE_ABOVE: 'few',
    });
    expect(read).toEqual({
      ok: false,
      problems: [
        'HILUM_PORT: expected a port from 1 to 65535, found "abc".',
        'HILUM_MLLP_PORT: expected a port from 1 to 65535, found "70000".',
        'HILUM_DEMO: expected on or off, found "maybe".',
        'RABBITMQ_URL: expected amqp://host or amqps://host, found something else.',
        'HILUM_BROKER_AWAY: expected refuse or spool, found "drop".',
        'HILUM_SPOOL_MIB: expected a whole number of MiB from 1 on, found "0".',
        'HILUM_LOG: expected debug or info or warn or error or silent, found "loud".',
        'HILUM_PACE_ABOVE: expected a whole number of messages from 1 on, or off, found "few".',
      ],
    });
  });

  it('reach RabbitMQ at several hosts, and tell what is wrong with its files', () => {
    const url = 'amqps://hilum@rabbit-1:5671/clinic,amqps://hilum@rabbit-2:5671/clinic';
    const metrics = 'http://rabbit-1:15692, http://rabbit-2:15692';
    const settings = settingsOf({ RABBITMQ_URL: url, RABBITMQ_METRICS_URL: metrics });
    expect(settings.rabbitmqUrl).toBe(url);
    expect(settings.rabbitmq.metricsUrls).toEqual(metrics.split(', '));
    expect(Object.keys(settings.environment)).not.toContain('RABBITMQ_URL');
    const read = readSettings({
      RABBITMQ_URL: url,
      RABBITMQ_CERT: '/nowhere/cert.pem',
      RABBITMQ_PASSWORD_FILE: '/nowhere/password',
      RABBITMQ_METRICS_URL: 'rabbit-1:15692',
    });
    expect(read).toEqual({
      ok: false,
      problems: [
        'RABBITMQ_CERT: expected a file with a certificate in PEM, found ENOENT at /nowhere/cert.pem.',
        'RABBITMQ_PASSWORD_FILE: expected a file with a password, found ENOENT at /nowhere/password.',
        'RABBITMQ_CERT and RABBITMQ_KEY: expected both or none, found one.',
        'RABBITMQ_METRICS_URL: expected http://host:15692, found something else.',
      ],
    });
  });

  it('have the ledger in PostgreSQL with RabbitMQ alone, and keep its URL from flows', () => {
    const env = {
      RABBITMQ_URL: 'amqp://rabbit',
      HILUM_LEDGER_URL: 'postgres://hilum:secret@pg-1,pg-2:5433/ledger?sslmode=require',
    };
    const { ledger, environment } = settingsOf(env);
    expect(ledger).toMatchObject({ user: 'hilum', password: 'secret', database: 'ledger' });
    expect(Object.keys(environment)).not.toContain('HILUM_LEDGER_URL');
    expect(JSON.stringify(environment)).not.toContain('secret');
    const read = readSettings({
      HILUM_LEDGER_URL: 'postgres://hilum:secret@pg/ledger?sslmode=maybe',
      HILUM_RETENTION_MAX_SIZE: '20GB',
    });
    const problems = read.ok ? [] : read.problems;
    expect(problems).toEqual([
      expect.stringMatching(/^HILUM_LEDGER_URL: sslmode: expected disable/),
      expect.stringMatching(/^HILUM_LEDGER_URL: expected RABBITMQ_URL beside it/),
      expect.stringMatching(/^HILUM_RETENTION_MAX_SIZE: expected off/),
    ]);
    expect(problems.join()).not.toContain('secret');
  });

  it('refuse one port for two listeners, but not for a demo partner that is off', () => {
    const env = { HILUM_MLLP_PORT: '2576' };
    expect(readSettings(env).ok).toBe(false);
    expect(readSettings({ ...env, HILUM_DEMO: 'off' }).ok).toBe(true);
  });

  it('name the nodes that the site answers for', () => {
    expect(settingsOf({}).allowNodes).toEqual([]);
    expect(settingsOf({ HILUM_ALLOW_NODES: ' acme in, acme out,' }).allowNodes).toEqual([
      'acme in',
      'acme out',
    ]);
  });

  it('stand in the environment of the flows, with the EHR of the demo as default', () => {
    expect(settingsOf({ HILUM_EHR_PORT: '9000', SITE: 'north' }).environment).toMatchObject({
      HILUM_EHR_URL: 'http://127.0.0.1:9000/fhir/R4',
      HILUM_MLLP_PORT: '2575',
      SITE: 'north',
    });
    expect(settingsOf({ HILUM_EHR_URL: 'https://ehr/fhir' }).environment['HILUM_EHR_URL']).toBe(
      'https://ehr/fhir',
    );
  });

  it('keep the path of the sockets short enough for any data folder', () => {
    const deep = `/${'folder/'.repeat(30)}data`;
    const { ownerSocket, controlSocket } = settingsOf({ HILUM_DATA: deep });
    for (const socket of [ownerSocket, controlSocket]) {
      expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
    }
    expect(ownerSocket).not.toBe(settingsOf({ HILUM_DATA: `${deep}2` }).ownerSocket);
  });
});
