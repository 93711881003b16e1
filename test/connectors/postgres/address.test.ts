import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildTls, parseAddress, toPlace } from '../../../connectors/postgres/address.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { toAddress } from './support.ts';

it('names the hosts of one cluster, and what it is reached by', () => {
  const address = toAddress(
    'postgres://hilum:p%40ss%2Fword@pg-1:5433,pg-2,[::1]:5434/clinic%20ledger?target_session_attrs=read-write&connect_timeout=3&statement_timeout=60&pool=5',
  );
  expect(address).toMatchObject({
    hosts: [
      { host: 'pg-1', port: 5433 },
      { host: 'pg-2', port: 5432 },
      { host: '::1', port: 5434 },
    ],
    user: 'hilum',
    password: 'p@ss/word',
    database: 'clinic ledger',
    tls: undefined,
    connectTimeoutMs: 3_000,
    statementTimeoutMs: 60_000,
    poolSize: 5,
  });
  expect(toPlace(address)).toBe('pg-1:5433,pg-2:5432,::1:5434/clinic ledger');
  expect(toPlace(address)).not.toContain('word');
});

it('checks a certificate as it is told', () => {
  const folder = makeTempFolder('address');
  const file = path.join(folder, 'ca.pem');
  writeFileSync(file, 'certificates');
  const tlsOf = (query: string) => buildTls(toAddress(`postgres://h@pg/db?${query}`), 'pg');
  expect(tlsOf('')).toBe(false);
  expect(tlsOf('sslmode=require')).toMatchObject({ rejectUnauthorized: false });
  const full = tlsOf(`sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`);
  expect(full).toMatchObject({ rejectUnauthorized: true, ca: Buffer.from('certificates') });
  expect(full).not.toHaveProperty('checkServerIdentity');
  expect(tlsOf(`sslmode=verify-ca&sslrootcert=${encodeURIComponent(file)}`)).toHaveProperty(
    'checkServerIdentity',
  );
});

it.each([
  ['mysql://hilum@pg/db', 'expected postgres://user@host/database'],
  ['postgres://hilum@pg', 'expected postgres://user@host/database'],
  ['postgres://hilum@/db', 'expected postgres://user@host/database'],
  ['postgres://hilum@pg:99999/db', 'expected postgres://user@host/database'],
  ['postgres://pg/db', 'expected a user'],
  ['postgres://h:secret@pg/db?sslmode=maybe', 'sslmode: expected disable'],
  ['postgres://h:secret@pg/db?sslmode=verify-ca', 'sslrootcert: expected'],
  ['postgres://h:secret@pg/db?sslmode=verify-full&sslcert=/a', 'sslcert and sslkey'],
  ['postgres://h:secret@pg/db?sslrootcert=/nowhere', 'sslmode: expected verify-full'],
  ['postgres://h@pg/db?passfile=/nowhere', 'the file /nowhere cannot be read'],
  ['postgres://h:secret@pg/db?target_session_attrs=any', 'target_session_attrs'],
  ['postgres://h:secret@pg/db?pool=0', 'pool: expected'],
  ['postgres://h:secret@pg/db?colour=red', 'no parameter is called colour'],
])('says what is wrong with %s, without its password', (url, words) => {
  const parsed = parseAddress(url);
  expect(parsed.ok).toBe(false);
  const problems = parsed.ok ? [] : parsed.problems;
  expect(problems.join(' ')).toContain(words);
  expect(problems.join(' ')).not.toContain('secret');
});
