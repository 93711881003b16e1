import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();
const patient = 'PID|1||A1^^^ALPHA^MR||Low^Al';
const code = '24331-1^Lipids^LN';

interface Order {
  readonly type?: string;
  readonly control?: string;
  readonly from?: string;
  readonly orders: readonly (readonly string[])[];
}

function mapOrder({
  type = 'ORM^O01',
  control = 'M1',
  from = 'EHRAPP|EHR|LABAPP|LAB',
  orders,
}: Order) {
  const header = `MSH|^~\\&|${from}|20260102093000+0100||${type}|${control}|P|2.5.1`;
  const { resource } = mapper.map(toParsed([header, patient, ...orders.flat()].join('\r')));
  return resource?.entry ?? [];
}

const toUrls = (order: Order, ...types: string[]): string[] =>
  mapOrder(order)
    .filter(({ resource }) => types.includes(resource?.resourceType ?? ''))
    .map(({ request }) => request?.url ?? '');

const of = (orc: string, test = code): string[] => [`ORC|${orc}`, `OBR|1|||${test}`];

describe('which order a control code changes', () => {
  const [placed, other] = toUrls({ orders: [of('NW|P1^PL'), of('NW|P2^PL')] }, 'ServiceRequest');

  test.each(['CA', 'DC', 'XO', 'HD', 'RL', 'SC', 'NA'])(
    '%s changes the order of its number',
    (orc) => {
      const urls = toUrls({ control: 'M2', orders: [of(`${orc}|P1^PL|F1^FL`)] }, 'ServiceRequest');
      expect(urls).toEqual([placed]);
      expect(urls).not.toContain(other);
    },
  );

  test('the second of two orders is the same when it comes alone', () => {
    expect(toUrls({ control: 'M2', orders: [of('CA|P2^PL')] }, 'ServiceRequest')).toEqual([other]);
  });

  test('one number for two tests stays two orders, and each is found again', () => {
    const both = toUrls(
      { orders: [of('NW|P3^PL'), of('NW|P3^PL', '718-7^Hb^LN')] },
      'ServiceRequest',
    );
    expect(new Set(both).size).toBe(2);
    const cancelled = { control: 'M2', orders: [of('CA|P3^PL', '718-7^Hb^LN')] };
    expect(toUrls(cancelled, 'ServiceRequest')).toEqual(both.slice(1));
  });

  test('the laboratory message and the general one of the same order are one order', () => {
    const general = { type: 'OMG^O19', control: 'M2', orders: [of('NW|P1^PL')] };
    const laboratory = { type: 'OML^O21', control: 'M3', orders: [of('NW|P1^PL')] };
    const bySpecimen = { type: 'OML^O33', control: 'M4', orders: [['SPM|1|SP1'], of('NW|P1^PL')] };
    expect(toUrls(bySpecimen, 'ServiceRequest')).toEqual([placed]);
    expect(toUrls(general, 'ServiceRequest')).toEqual([placed]);
    expect(toUrls(laboratory, 'ServiceRequest')).toEqual([placed]);
  });

  test('another sender with the same number has another order', () => {
    const from = 'OTHER|CLINIC|LABAPP|LAB';
    expect(toUrls({ from, orders: [of('NW|P1^PL')] }, 'ServiceRequest')).not.toContain(placed);
  });
});

describe('what the filler answers', () => {
  const from = 'LABAPP|LAB|EHRAPP|EHR';
  const asked = toUrls({ orders: [of('NW|P1^PL')] }, 'ServiceRequest', 'Task');

  test.each(['ORL^O22', 'ORL^O34', 'ORR^O02', 'ORG^O20'])(
    '%s updates the order and the task of it',
    (type) => {
      const answer = { type, from, control: 'R1', orders: [of('OK|P1^PL|F1^FL')] };
      expect(toUrls(answer, 'ServiceRequest', 'Task')).toEqual(asked);
    },
  );

  test('an answer without detail leaves the order as it is, and moves its task', () => {
    const answer = { type: 'ORR^O02', from, control: 'R1', orders: [['ORC|UA|P1^PL|F1^FL']] };
    expect(toUrls(answer, 'ServiceRequest')).toEqual([]);
    expect(toUrls(answer, 'Task')).toEqual(asked.slice(1));
  });
});

describe('which appointment an event changes', () => {
  const toAppointment = (event: string, ids = 'A1^PL|B1^FL', control = 'S1'): string[] => {
    const header = `MSH|^~\\&|SCH|CLINIC|EHR|EHR|20260102093000+0100||SIU^${event}|${control}|P|2.5.1`;
    const { resource } = mapper.map(toParsed([header, `SCH|${ids}`, patient].join('\r')));
    return (resource?.entry ?? [])
      .filter((entry) => entry.resource?.resourceType === 'Appointment')
      .map(({ request }) => request?.url ?? '');
  };
  const booked = toAppointment('S12');

  test.each(['S13', 'S14', 'S15', 'S16', 'S17', 'S26'])(
    '%s changes the one that was booked',
    (event) => {
      expect(booked).toHaveLength(1);
      expect(toAppointment(event, 'A1^PL|B1^FL', event)).toEqual(booked);
    },
  );

  test("the filler's number says which, whatever the placer's", () => {
    expect(toAppointment('S15', '|B1^FL')).toEqual(booked);
    expect(toAppointment('S15', 'A1^PL|B2^FL')).not.toEqual(booked);
  });

  test('one of a series is known by its occurrence', () => {
    expect(toAppointment('S15', 'A1^PL|B1^FL|2')).not.toEqual(booked);
  });
});

test.each([
  ['an account', 'BAR^P01', 'BAR^P06', 'Account', ['PV1|1|I']],
  ['a charge', 'DFT^P03', 'DFT^P03', 'ChargeItem', ['FT1|1|T1||20260102||CG|71045^X-ray^C4']],
  ['a problem', 'PPR^PC1', 'PPR^PC3', 'Condition', ['PRB|AD|20260102|I10^Hypertension^I10C|PB1']],
  [
    'a goal',
    'PPR^PC1',
    'PPR^PC2',
    'Goal',
    ['PRB|AD|20260102|I10^Pain^I10C|PB1', 'GOL|AD||BP^Low^L|G1'],
  ],
])('%s that comes again in a later message is the same', (_name, first, later, type, segments) => {
  const once = toUrls({ type: first, orders: [segments] }, type);
  expect(once).toHaveLength(1);
  expect(toUrls({ type: later, control: 'M2', orders: [segments] }, type)).toEqual(once);
});
