import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();
const pid = 'PID|1||A1^^^ALPHA^MR||Low^Al';

interface Sent {
  readonly type: string;
  readonly control?: string;
  readonly from?: string;
  readonly to?: string;
}

/** What the entries of a type do: their method, and the condition that finds the resource. */
function toRequests(
  { type, control = 'M1', from = 'APP|HOSP', to = 'EHR|EHR' }: Sent,
  segments: readonly string[],
  resourceType: string,
): string[] {
  const header = `MSH|^~\\&|${from}|${to}|20260302093000+0100||${type}|${control}|P|2.8`;
  const { resource } = mapper.map(toParsed([header, ...segments].join('\r')));
  const entries = resource?.entry?.filter((entry) => entry.resource?.resourceType === resourceType);
  return (entries ?? []).map(({ request }) => {
    const condition = request?.ifNoneExist ?? request?.url.replace(/^.*\?/, '') ?? '';
    return `${request?.method} ${condition}`;
  });
}

describe('documents', () => {
  const toDocument = (event: string, txa: string, text: readonly string[] = []): string[] =>
    toRequests({ type: `MDM^${event}`, control: event }, [pid, txa, ...text], 'DocumentReference');
  const txa = 'TXA|1|DS||||||||||DOC1^HOSP';
  const text = ['OBX|1|TX|1^Text^L||One||||||F'];
  const first = toDocument('T02', txa, text);

  test.each(['T04', 'T08'])('%s writes the document that T02 wrote', (event) => {
    expect(first).toHaveLength(1);
    expect(toDocument(event, `${txa}|||||AU`, ['OBX|1|TX|1^Text^L||Two||||||F'])).toEqual(first);
  });

  test('T11 writes the document that it cancels', () => {
    expect(toDocument('T11', txa)).toEqual(first);
  });

  test.each(['T01', 'T03', 'T05', 'T07', 'T09'])('%s takes no content from it', (event) => {
    expect(toDocument(event, txa)).toEqual([first[0]?.replace('PUT', 'POST')]);
  });

  test.each([
    ['T03', 1],
    ['T07', 1],
    ['T05', 0],
  ])('%s without content asks for %d change of the document', (event, count) => {
    const tasks = toRequests({ type: `MDM^${event}`, control: event }, [pid, txa], 'Task');
    expect(tasks).toHaveLength(count);
  });

  test('a replacement is another document', () => {
    const [other] = toDocument('T10', 'TXA|1|DS||||||||||DOC2^HOSP|DOC1^HOSP', text);
    expect(other).toBeDefined();
    expect(first).not.toContain(other);
  });
});

describe('immunizations', () => {
  const toDose = (orc: string, rxa: string): string[] =>
    toRequests({ type: 'VXU^V04', control: rxa }, [pid, orc, rxa], 'Immunization');

  test('a dose is found by its number when its vaccine and day are corrected', () => {
    const dose = toDose('ORC|RE||IZ1^HOSP', 'RXA|0|1|20260302||115^Tdap^CVX|1');
    expect(dose).toHaveLength(1);
    expect(toDose('ORC|RE||IZ1^HOSP', 'RXA|0|1|20260301||20^DTaP^CVX|1||||||||||||||U')).toEqual(
      dose,
    );
    expect(toDose('ORC|RE||IZ2^HOSP', 'RXA|0|1|20260302||115^Tdap^CVX|1')).not.toEqual(dose);
  });

  test('doses without a number of their own are kept apart by day and vaccine', () => {
    const doses = [
      'RXA|0|1|2018||133^PCV^CVX|999',
      'RXA|0|1|2019||133^PCV^CVX|999',
      'RXA|0|1|2019||03^MMR^CVX|999',
    ].map((rxa) => toDose('ORC|RE||9999^HOSP', rxa));
    expect(new Set(doses.flat()).size).toBe(3);
    expect(toDose('ORC|RE', 'RXA|0|1|2018||133^PCV^CVX|999')).toEqual(doses[0]);
  });

  test('an answer finds the query', () => {
    const qpd = 'QPD|Z44^Query^CDCPHINVS|T1|A1^^^ALPHA^MR';
    const asked = toRequests({ type: 'QBP^Q11' }, [qpd], 'Task');
    const answer = { type: 'RSP^K11', control: 'M2', from: 'EHR|EHR', to: 'APP|HOSP' };
    expect(asked).toHaveLength(1);
    expect(toRequests(answer, ['MSA|AA|M1', 'QAK|T1|OK', qpd], 'Task')).toEqual(asked);
    expect(toRequests({ ...answer, to: 'APP2|HOSP' }, [qpd], 'Task')).not.toEqual(asked);
  });
});

describe('the pharmacy', () => {
  test('an order is found by its numbers, whatever else changes', () => {
    const toOrder = (control: string, rxe: string): string[] =>
      toRequests({ type: 'RDE^O11', control }, [pid, 'ORC|XO|P1|F1', rxe], 'MedicationRequest');
    const order = toOrder('M1', 'RXE||C1^Zinc^L|1');
    expect(order).toHaveLength(1);
    expect(toOrder('M2', 'RXE||C1^Zinc^L|2')).toEqual(order);
  });

  test('a second fill is another dispense', () => {
    const toDispense = (rxd: string): string[] =>
      toRequests({ type: 'RDS^O13' }, [pid, 'ORC|RE|P1|F1', rxd], 'MedicationDispense');
    const filled = toDispense('RXD|1|C1^Zinc^L|20260302|20');
    expect(filled).toHaveLength(1);
    expect(toDispense('RXD|1|C1^Zinc^L|20260302|30')).toEqual(filled);
    expect(toDispense('RXD|2|C1^Zinc^L|20260402|20')).not.toEqual(filled);
  });
});
