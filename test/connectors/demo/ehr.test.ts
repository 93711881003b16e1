import { startDemoEhr } from '../../../connectors/demo/ehr.ts';
import type { DemoEhr } from '../../../connectors/demo/ehr.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('demo EHR', () => {
  let ehr: DemoEhr;

  beforeEach(async () => {
    ehr = await startDemoEhr({ host: '127.0.0.1', port: 0, logger: silent });
  });

  afterEach(() => ehr.close());

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${ehr.url}${path}`, {
      method,
      headers: { 'content-type': 'application/fhir+json', ...headers },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  }

  const patient = (mrn: string, family = 'Test') => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:mrn', value: mrn }],
    name: [{ family }],
  });
  const transaction = (...entry: unknown[]) => ({
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  });
  const putPatient = (mrn: string, family?: string) => ({
    fullUrl: `urn:uuid:patient-${mrn}`,
    resource: patient(mrn, family),
    request: { method: 'PUT', url: `Patient?identifier=urn:mrn|${mrn}` },
  });
  const observation = (id: string, subject: string, extra: object = {}) => ({
    fullUrl: `urn:uuid:observation-${id}`,
    resource: {
      resourceType: 'Observation',
      status: 'final',
      identifier: [{ system: 'urn:obs', value: id }],
      code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
      subject: { reference: subject },
      ...extra,
    },
    request: { method: 'PUT', url: `Observation?identifier=urn:obs|${id}` },
  });
  const total = async (path: string): Promise<number> =>
    ((await ask('GET', path)).body as { readonly total: number }).total;

  it('says what it is on its page and in its capabilities', async () => {
    const page = await (await fetch(new URL('/', ehr.url))).text();
    expect(page).toContain('in memory, not for patient data');
    const { status, body } = await ask('GET', '/metadata');
    expect(status).toBe(200);
    expect(body).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  });

  it('creates, reads, updates and deletes', async () => {
    const created = await ask('POST', '/Patient', patient('1'));
    expect(created.status).toBe(201);
    const { id } = created.body as { id: string };
    expect(created.headers.get('location')).toBe(`${ehr.url}/Patient/${id}/_history/1`);
    expect(created.headers.get('etag')).toBe('W/"1"');
    const updated = await ask('PUT', `/Patient/${id}`, { ...patient('1', 'Other'), id });
    expect([updated.status, updated.headers.get('etag')]).toEqual([200, 'W/"2"']);
    expect((await ask('GET', `/Patient/${id}`)).body).toMatchObject({
      name: [{ family: 'Other' }],
    });
    expect((await ask('DELETE', `/Patient/${id}`)).status).toBe(204);
    expect((await ask('GET', `/Patient/${id}`)).status).toBe(410);
    expect((await ask('GET', '/Patient/never')).status).toBe(404);
    expect((await ask('PUT', '/Patient/mine', { ...patient('2'), id: 'mine' })).status).toBe(201);
  });

  it.each<[string, string, string, unknown, number]>([
    ['an unknown type', 'POST', '/Pacient', { resourceType: 'Pacient' }, 404],
    ['another type than the address', 'POST', '/Patient', { resourceType: 'Basic' }, 400],
    ['no resourceType', 'POST', '/Patient', {}, 400],
    ['no JSON', 'POST', '/Patient', '<Patient/>', 400],
    [
      'an unknown type in a transaction',
      'POST',
      '',
      transaction({
        resource: { resourceType: 'Pacient' },
        request: { method: 'POST', url: 'Pacient' },
      }),
      404,
    ],
    ['a Bundle without a type', 'POST', '', { resourceType: 'Bundle' }, 400],
    ['another id than the address', 'PUT', '/Patient/a', { ...patient('1'), id: 'b' }, 400],
    ['an unknown search parameter', 'GET', '/Patient?shoe-size=44', undefined, 400],
    ['an unknown modifier', 'GET', '/Patient?family:soundslike=x', undefined, 400],
    ['an unknown place', 'GET', '/Patient/1/2/3', undefined, 404],
    ['PATCH', 'PATCH', '/Patient/1', [], 400],
  ])('refuses %s with an OperationOutcome', async (_name, method, path, body, status) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error' }],
    });
    expect(await total('/Patient?_summary=count')).toBe(0);
  });

  it('makes one Patient of sixteen conditional updates at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => ask('PUT', '/Patient?identifier=urn:mrn|1', patient('1'))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(15).fill(200),
      201,
    ]);
    expect(await total('/Patient?identifier=urn:mrn|1')).toBe(1);
  });

  it('makes one Patient of sixteen transactions at once', async () => {
    await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        ask(
          'POST',
          '',
          transaction(putPatient('1'), observation(`${index}`, 'urn:uuid:patient-1')),
        ),
      ),
    );
    expect(await total('/Patient?_summary=count')).toBe(1);
    expect(await total('/Observation?patient.identifier=urn:mrn|1')).toBe(16);
  });

  it('creates on condition only where nothing is found', async () => {
    const condition = { 'if-none-exist': 'identifier=urn:mrn|1' };
    const first = await ask('POST', '/Patient', patient('1'), condition);
    const second = await ask('POST', '/Patient', patient('1', 'Other'), condition);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    await ask('POST', '/Patient', patient('1'));
    expect((await ask('POST', '/Patient', patient('1'), condition)).status).toBe(412);
    expect((await ask('PUT', '/Patient?identifier=urn:mrn|1', patient('1'))).status).toBe(412);
  });

  it('updates only the version that was meant', async () => {
    await ask('PUT', '/Patient/a', { ...patient('1'), id: 'a' });
    const again = { ...patient('1', 'Other'), id: 'a' };
    expect((await ask('PUT', '/Patient/a', again, { 'if-match': 'W/"7"' })).status).toBe(412);
    expect((await ask('PUT', '/Patient/a', again, { 'if-match': 'W/"1"' })).status).toBe(200);
  });

  it('answers a transaction entry by entry and makes its references literal', async () => {
    const answer = await ask(
      'POST',
      '',
      transaction(
        observation('1', 'urn:uuid:patient-1', {
          performer: [{ reference: 'Organization?identifier=urn:lab|main' }],
        }),
        putPatient('1'),
        {
          resource: {
            resourceType: 'Organization',
            identifier: [{ system: 'urn:lab', value: 'main' }],
          },
          request: { method: 'POST', url: 'Organization', ifNoneExist: 'identifier=urn:lab|main' },
        },
        { request: { method: 'GET', url: 'Observation?status=final' } },
      ),
    );
    expect(answer.body).toMatchObject({
      type: 'transaction-response',
      entry: [
        { response: { status: '201 Created', etag: 'W/"1"' } },
        { response: { status: '201 Created' } },
        { response: { status: '201 Created' } },
        { response: { status: '200 OK' }, resource: { total: 1 } },
      ],
    });
    const found = await ask('GET', '/Observation');
    expect(found.body).toMatchObject({
      entry: [
        {
          resource: {
            subject: { reference: expect.stringMatching(/^Patient\/[0-9a-f-]{36}$/) as string },
            performer: [{ reference: expect.stringMatching(/^Organization\//) as string }],
          },
        },
      ],
    });
  });

  it.each<[string, unknown, number]>([
    ['a reference to no entry', observation('2', 'urn:uuid:nobody'), 400],
    ['a condition that finds nothing', observation('2', 'Patient?identifier=urn:mrn|9'), 412],
    ['a wrong resource', { resource: {}, request: { method: 'POST', url: 'Patient' } }, 400],
    ['an entry that writes the same again', putPatient('1', 'Twice'), 400],
    [
      'a missing version',
      {
        resource: { ...patient('5'), id: 'x' },
        request: { method: 'PUT', url: 'Patient/x', ifMatch: 'W/"3"' },
      },
      412,
    ],
    [
      'something to read that is not there',
      { request: { method: 'GET', url: 'Patient/none' } },
      404,
    ],
  ])('leaves everything as it was when a transaction fails: %s', async (_name, entry, status) => {
    await ask(
      'POST',
      '',
      transaction(putPatient('1', 'Before'), observation('1', 'urn:uuid:patient-1')),
    );
    const before = (await ask('GET', '/Patient')).body;
    const remove = { request: { method: 'DELETE', url: 'Observation?identifier=urn:obs|1' } };
    const answer = await ask(
      'POST',
      '',
      transaction(remove, putPatient('1', 'After'), putPatient('2'), entry),
    );
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ expression: [expect.stringMatching(/^Bundle\.entry\[3\]/) as string] }],
    });
    expect(((await ask('GET', '/Patient')).body as { entry: unknown }).entry).toEqual(
      (before as { entry: unknown }).entry,
    );
    expect(await total('/Observation?identifier=urn:obs|1')).toBe(1);
    expect(await total('/Patient?identifier=urn:mrn|2')).toBe(0);
  });

  it('does each entry of a batch by itself', async () => {
    const answer = await ask('POST', '', {
      ...transaction(
        putPatient('1'),
        { request: { method: 'GET', url: 'Patient/none' } },
        putPatient('2'),
      ),
      type: 'batch',
    });
    expect(answer.body).toMatchObject({
      type: 'batch-response',
      entry: [
        { response: { status: '201 Created' } },
        { response: { status: '404 Not Found', outcome: { resourceType: 'OperationOutcome' } } },
        { response: { status: '201 Created' } },
      ],
    });
    expect(await total('/Patient')).toBe(2);
  });

  describe('search', () => {
    beforeEach(async () => {
      const results = Array.from({ length: 10 }, (_, index) =>
        observation(`${index}`, `urn:uuid:patient-${index % 2}`, {
          status: index < 3 ? 'preliminary' : 'final',
          effectiveDateTime: `2026-03-${String(index + 1).padStart(2, '0')}T10:00:00Z`,
        }),
      );
      await ask(
        'POST',
        '',
        transaction(putPatient('0', 'Quillfeather'), putPatient('1', 'Ähnlich'), ...results),
      );
    });

    it.each([
      ['Observation', 10],
      ['Observation?status=final', 7],
      ['Observation?status=final,preliminary', 10],
      ['Observation?status:not=final', 3],
      ['Observation?identifier=urn:obs|3', 1],
      ['Observation?identifier=3', 1],
      ['Observation?identifier=urn:other|3', 0],
      ['Observation?identifier=urn:obs|3,urn:obs|4', 2],
      ['Observation?identifier=urn:obs|3&status=preliminary', 0],
      ['Observation?code=718-7', 10],
      ['Observation?code=http://loinc.org|718-7', 10],
      ['Observation?code=http://loinc.org|', 10],
      ['Observation?code=|718-7', 0],
      ['Observation?code:missing=true', 0],
      ['Observation?patient.identifier=urn:mrn|0', 5],
      ['Observation?subject:Patient.identifier=urn:mrn|0&status=final', 3],
      ['Observation?subject=Patient/nobody', 0],
      ['Observation?date=2026-03-04', 1],
      ['Observation?date=ge2026-03-04&date=lt2026-03-06', 2],
      ['Observation?date=2026-03', 10],
      ['Observation?_lastUpdated=gt2020-01-01', 10],
      ['Observation?_lastUpdated=lt2020-01-01', 0],
      ['Patient?family=quill', 1],
      ['Patient?family:exact=quill', 0],
      ['Patient?name=ahn', 1],
      ['Patient?name:contains=feather', 1],
      ['Observation?_summary=count', 10],
    ])('finds by %s', async (path, expected) => {
      expect(await total(`/${path}`)).toBe(expected);
    });

    it('finds by id and by patient', async () => {
      const { body } = await ask('GET', '/Patient?identifier=urn:mrn|1');
      const { id } = (body as { entry: { resource: { id: string } }[] }).entry[0]!.resource;
      expect(await total(`/Patient?_id=${id}`)).toBe(1);
      expect(await total(`/Observation?patient=${id}`)).toBe(5);
      expect(await total(`/Observation?patient=Patient/${id}&status=preliminary`)).toBe(1);
      expect(await total(`/Observation?subject=${ehr.url}/Patient/${id}`)).toBe(5);
    });

    it('pages, with the total of all pages', async () => {
      const seen: string[] = [];
      let next: string | undefined = `${ehr.url}/Observation?_count=4&_sort=-date`;
      while (next !== undefined) {
        const page = (await (await fetch(next)).json()) as {
          total: number;
          link: { relation: string; url: string }[];
          entry: { resource: { effectiveDateTime: string } }[];
        };
        expect(page.total).toBe(10);
        seen.push(...page.entry.map(({ resource }) => resource.effectiveDateTime));
        next = page.link.find(({ relation }) => relation === 'next')?.url;
      }
      expect(seen).toHaveLength(10);
      expect(seen).toEqual([...seen].sort().reverse());
    });

    it('searches by POST too, and counts without entries', async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const posted = await ask('POST', '/Observation/_search', 'status=final', headers);
      expect(posted.body).toMatchObject({ total: 7 });
      const counted = await ask('GET', '/Observation?_summary=count');
      expect(counted.body).not.toHaveProperty('entry');
    });
  });

  it('says in words that its port is taken', async () => {
    const port = Number(new URL(ehr.url).port);
    await expect(startDemoEhr({ host: '127.0.0.1', port, logger: silent })).rejects.toThrow(
      'HILUM_EHR_PORT',
    );
  });

  it('takes a thousand transactions of twelve entries within seconds', async () => {
    const startedAt = performance.now();
    let next = 0;
    const client = async () => {
      for (let turn = next++; turn < 1000; turn = next++) {
        const subject = `urn:uuid:patient-${turn % 100}`;
        const results = Array.from({ length: 11 }, (_, index) =>
          observation(`${turn}-${index}`, subject),
        );
        const { status } = await ask(
          'POST',
          '',
          transaction(putPatient(`${turn % 100}`), ...results),
        );
        expect(status).toBe(200);
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect(await total('/Patient?_summary=count')).toBe(100);
    expect(await total('/Observation?_summary=count')).toBe(11_000);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
