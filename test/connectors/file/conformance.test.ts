import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { ConformanceThread, openConformance } from '../../../connectors/file/conformance.ts';
import { findFailure } from '../../../core/errors.ts';

const mortal = pathToFileURL(path.join(import.meta.dirname, 'mortal-thread.ts'));
let thread: ConformanceThread | undefined;
const open = (options: object = {}): ConformanceThread =>
  (thread = new ConformanceThread({ thread: mortal, ...options }));

afterEach(async () => {
  await thread?.close();
  await openConformance().close();
});

const answer = async (asked: Promise<readonly { readonly message: string }[]>) => {
  try {
    return (await asked).map(({ message }) => message).join();
  } catch (error) {
    const failure = findFailure(error);
    return `${failure?.errorClass} ${failure?.issues[0]?.code}`;
  }
};

it('checks by the definitions of FHIR', async () => {
  const conformance = openConformance();
  const [good, bad] = await Promise.all(
    [{}, { contact: [{ gender: 'male' }] }].map((more) =>
      conformance.check(JSON.stringify({ resourceType: 'Patient', active: true, ...more }), []),
    ),
  );
  expect(good).toEqual([]);
  expect(bad).toMatchObject([{ code: 'fhir-invariant', location: 'Patient.contact[0]' }]);
});

it('answers each in its turn', async () => {
  const conformance = open();
  const all = ['1', '2', '3'].map((resource) => answer(conformance.check(resource, [])));
  expect(await Promise.all(all)).toEqual(['1', '2', '3']);
});

it('is started again when it ends, tries once more what it was at, and goes on with what waits', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-conformance-'));
  const once = `once:${path.join(folder, 'ended')}`;
  const conformance = open();
  const all = ['end', once, 'after'].map((one) => answer(conformance.check(one, [])));
  expect(await Promise.all(all)).toEqual(['permanent fhir-validation-failed', once, 'after']);
  rmSync(folder, { recursive: true });
});

it('gives up a check that takes too long, which is not tried for ever, and goes on with what waits', async () => {
  const conformance = open({ checkMs: 300 });
  const all = ['hang', 'after'].map((one) => answer(conformance.check(one, [])));
  expect(await Promise.all(all)).toEqual(['ambiguous fhir-validation-timeout', 'after']);
});

it('lets nobody wait longer than is allowed', async () => {
  const conformance = open({ waitMs: 300 });
  const all = ['hang', 'behind it'].map((one) => answer(conformance.check(one, [])));
  expect(new Set(await Promise.all(all))).toEqual(new Set(['transient fhir-validation-timeout']));
});

it('refuses what is more than may wait', async () => {
  const conformance = open({ maxWaiting: 2 });
  const all = ['1', '2', '3'].map((one) => answer(conformance.check(one, [])));
  expect(await Promise.all(all)).toEqual(['1', '2', 'transient fhir-validation-busy']);
});

it('says what does not start, and why', async () => {
  const conformance = open({ thread: pathToFileURL('/nowhere/thread.js') });
  const asked = conformance.check('1', []);
  expect(await answer(asked)).toBe('transient fhir-validation-busy');
  await expect(asked).rejects.toThrow(/Cannot find module '\/nowhere\/thread.js'/);
});
