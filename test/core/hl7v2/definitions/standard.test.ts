import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import type { CompactVersion } from '../../../../core/hl7v2/definitions/compact.ts';
import {
  anySegment,
  type ElementDefinition,
  type FieldDefinition,
  type StructureItem,
} from '../../../../core/hl7v2/definitions/definitions.ts';
import { versions, type Version } from '../../../../core/hl7v2/definitions/versions.ts';

const of = (version: Version) => openDefinitions().of(version);

function findField(version: Version, place: string): FieldDefinition | undefined {
  const [segment = '', position] = place.split('-');
  return of(version).findSegment(segment)?.fields[Number(position) - 1];
}

describe('fields', () => {
  // usage, datatype, how often
  it.each<[Version, string, string]>([
    ['2.1', 'PID-5', 'R PN 1'],
    ['2.2', 'PID-5', 'R PN 1'],
    ['2.3.1', 'PID-5', 'R XPN *'],
    ['2.5.1', 'PID-5', 'R XPN *'],
    ['2.8.2', 'PID-5', 'R XPN *'],
    ['2.2', 'PID-3', 'R CM_PAT_ID *'],
    ['2.3', 'PID-3', 'R CX *'],
    ['2.3.1', 'PID-3', 'R CX *'],
    ['2.7.1', 'PID-3', 'R CX *'],
    ['2.3', 'PID-8', 'O IS 1'],
    ['2.7.1', 'PID-8', 'O CWE 1'],
    ['2.5.1', 'PID-2', 'B CX 1'],
    ['2.7', 'PID-2', 'W varies *'],
    ['2.5', 'MSH-9', 'R MSG 1'],
    ['2.8.2', 'MSH-9', 'R MSG 1'],
    ['2.5.1', 'MSH-10', 'R ST 1'],
    ['2.5.1', 'MSH-12', 'R VID 1'],
    ['2.3', 'MSH-12', 'R ID 1'],
    ['2.5.1', 'MSH-7', 'R TS 1'],
    ['2.6', 'MSH-7', 'R DTM 1'],
    ['2.3', 'OBX-5', 'C varies *'],
    ['2.5.1', 'OBX-5', 'C varies *'],
    ['2.7.1', 'OBX-5', 'C varies *'],
    ['2.8.2', 'OBX-5', 'C varies *'],
    ['2.5.1', 'OBX-2', 'C ID 1'],
    ['2.5.1', 'OBX-3', 'R CE 1'],
    ['2.7', 'OBX-3', 'R CWE 1'],
    ['2.5.1', 'OBX-11', 'R ID 1'],
    ['2.5.1', 'OBX-23', 'O XON 1'],
    ['2.5.1', 'OBR-4', 'R CE 1'],
    ['2.3.1', 'PV1-2', 'R IS 1'],
    ['2.8.2', 'PV1-2', 'R CWE 1'],
    ['2.5.1', 'ORC-1', 'R ID 1'],
    ['2.5.1', 'EVN-2', 'R TS 1'],
    ['2.5', 'ERR-2', 'O ERL *'],
    ['2.8', 'DON-1', 'C EI 1'],
  ])('of %s: %s is %s', (version, place, expected) => {
    const field = findField(version, place);
    const often = field?.max === Infinity ? '*' : String(field?.max);
    expect(`${field?.usage ?? ''} ${field?.datatype ?? ''} ${often}`).toBe(expected);
  });

  it.each<[Version, string, number | undefined]>([
    ['2.3', 'MSH-10', 20],
    ['2.5.1', 'MSH-10', 20],
    ['2.5.1', 'PID-1', 4],
    ['2.5.1', 'OBX-5', undefined],
    ['2.7', 'PID-1', 4],
  ])('of %s: %s is at most so long', (version, place, length) => {
    expect(findField(version, place)?.maxLength).toBe(length);
  });

  it('are required at least once, or not at all', () => {
    expect(findField('2.5.1', 'PID-3')?.min).toBe(1);
    expect(findField('2.5.1', 'PID-6')?.min).toBe(0);
  });
});

describe('tables', () => {
  it.each<[Version, string, 'hl7' | 'user', string]>([
    ['2.1', '0001', 'hl7', 'F M O U'],
    ['2.5.1', '0001', 'user', 'A F M N O U'],
    ['2.5.1', '0085', 'hl7', 'C D F I N O P R S U W X'],
    ['2.3.1', '0008', 'hl7', 'AA AE AR CA CE CR'],
    ['2.5.1', '0103', 'hl7', 'D P T'],
    ['2.5.1', '0004', 'user', 'B C E I N O P R U'],
  ])('of %s: %s', (version, id, kind, codes) => {
    const table = of(version).findTable(id);
    expect(table?.kind).toBe(kind);
    expect([...(table?.codes ?? [])].sort().join(' ')).toBe(codes);
  });

  it('have the datatypes of observations', () => {
    for (const code of ['NM', 'ST', 'CE', 'CWE', 'SN', 'ED', 'TX', 'FT']) {
      expect(of('2.5.1').findTable('0125')?.codes.has(code)).toBe(true);
    }
  });
});

describe('events', () => {
  it.each<[Version, string, string]>([
    ['2.2', 'ADT^A04', 'ADT_A04'],
    ['2.3', 'ADT^A04', 'ADT_A01'],
    ['2.3.1', 'ADT^A04', 'ADT_A01'],
    ['2.5.1', 'ADT^A04', 'ADT_A01'],
    ['2.8.2', 'ADT^A08', 'ADT_A01'],
    ['2.5.1', 'ADT^A28', 'ADT_A05'],
    ['2.5.1', 'ADT^A40', 'ADT_A39'],
    ['2.7.1', 'ADT^A40', 'ADT_A39'],
    ['2.1', 'ORU^R01', 'ORU_R01'],
    ['2.5.1', 'ORU^R01', 'ORU_R01'],
    ['2.3', 'ORM^O01', 'ORM_O01'],
    ['2.4', 'OML^O21', 'OML_O21'],
    ['2.5.1', 'OML^O21', 'OML_O21'],
    ['2.5.1', 'ORL^O22', 'ORL_O22'],
    ['2.5.1', 'VXU^V04', 'VXU_V04'],
    ['2.3.1', 'VXU^V04', 'VXU_V04'],
    ['2.5.1', 'MDM^T02', 'MDM_T02'],
    ['2.5.1', 'MDM^T08', 'MDM_T02'],
    ['2.5.1', 'MDM^T11', 'MDM_T01'],
    ['2.5.1', 'RDE^O11', 'RDE_O11'],
    ['2.5.1', 'RDE^O25', 'RDE_O11'],
    ['2.5.1', 'QBP^Q22', 'QBP_Q21'],
    ['2.5.1', 'RSP^K22', 'RSP_K22'],
    ['2.5.1', 'MFN^M02', 'MFN_M02'],
    ['2.5.1', 'MFK^M02', 'MFK_M01'],
    ['2.4', 'RPI^I04', 'RPI_I04'],
  ])('of %s: %s has %s', (version, message, structure) => {
    const [type = '', event = ''] = message.split('^');
    expect(of(version).findStructureName(type, event)).toBe(structure);
    expect(of(version).findStructure(structure)).toBeDefined();
    expect(of(version).isMessageType(type)).toBe(true);
    expect(of(version).isEvent(event)).toBe(true);
  });

  it.each(['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.2'] as const)(
    'of %s: every scheduling notification has SIU_S12',
    (version) => {
      const events = [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26];
      const names = events.map((event) => of(version).findStructureName('SIU', `S${event}`));
      expect(new Set(names)).toEqual(new Set(['SIU_S12']));
    },
  );

  it.each(versions)('of %s: any may be acknowledged', (version) => {
    for (const event of ['A01', 'R01', 'O01', '', 'Z99']) {
      expect(of(version).findStructureName('ACK', event)).toBe('ACK');
    }
    expect(of(version).findStructure('ACK')?.items[0]?.name).toBe('MSH');
  });

  it('are not made up', () => {
    expect(of('2.5.1').findStructureName('ADT', 'Q99')).toBeUndefined();
    expect(of('2.5.1').findStructureName('constructor', 'name')).toBeUndefined();
    expect(of('2.5.1').isEvent('Q99')).toBe(false);
    expect(of('2.5.1').isMessageType('XXX')).toBe(false);
  });
});

describe('structures', () => {
  it('have the groups of a result', () => {
    expect(outline(of('2.5.1').findStructure('ORU_R01'))).toBe(
      'MSH [{SFT}] {PATIENT_RESULT: [PATIENT: PID [PD1] [{NTE}] [{NK1}] [VISIT: PV1 [PV2]]] ' +
        '{ORDER_OBSERVATION: [ORC] OBR [{NTE}] [{TIMING_QTY: TQ1 [{TQ2}]}] [CTD] ' +
        '[{OBSERVATION: OBX [{NTE}]}] [{FT1}] [{CTI}] [{SPECIMEN: SPM [{OBX}]}]}} [DSC]',
    );
  });

  it('have the choice of an order', () => {
    expect(outline(of('2.5.1').findStructure('ORM_O01'))).toContain(
      'ORDER_DETAIL: <OBR|RQD|RQ1|RXO|ODS|ODT>',
    );
  });

  it('have a segment at both of its places', () => {
    const admission = outline(of('2.5.1').findStructure('ADT_A01'));
    expect(admission).toContain('PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}]');
  });

  it('are the same object for a name', () => {
    const definitions = of('2.5.1');
    expect(definitions.findStructure('ADT_A01')).toBe(definitions.findStructure('ADT_A01'));
    expect(definitions.findSegment('PID')).toBe(definitions.findSegment('PID'));
    expect(definitions.findDatatype('CX')).toBe(definitions.findDatatype('CX'));
    expect(definitions.findTable('0001')).toBe(definitions.findTable('0001'));
    expect(openDefinitions().of('2.5.1')).toBe(definitions);
  });
});

describe.each(versions)('in %s', (version) => {
  const { structures, segments, datatypes } = readNames(version);

  it('every event has a structure that is there', () => {
    const { events } = readNames(version);
    const lost = events.filter((name) => !structures.includes(name));
    expect(lost).toEqual([]);
  });

  it('every structure consists of segments that are defined', () => {
    const lost = structures.flatMap((name) =>
      listSegments(of(version).findStructure(name)).filter(
        (segment) => segment !== anySegment && of(version).findSegment(segment) === undefined,
      ),
    );
    expect([...new Set(lost)].sort()).toEqual(undefinedSegments[version] ?? []);
  });

  it('every message starts with MSH', () => {
    const lost = structures.filter(
      (name) => of(version).findStructure(name)?.items[0]?.name !== 'MSH',
    );
    expect(lost).toEqual([]);
  });

  it('every field and component has a datatype that is defined, and a table that is', () => {
    const elements: readonly ElementDefinition[] = [
      ...segments.flatMap((name) => of(version).findSegment(name)?.fields ?? []),
      ...datatypes.flatMap((name) => of(version).findDatatype(name)?.components ?? []),
    ];
    expect(elements.length).toBeGreaterThan(400);
    const lost = elements.flatMap(({ datatype, table }) => [
      ...(of(version).findDatatype(datatype) === undefined ? [datatype] : []),
      ...(table === undefined || of(version).findTable(table) !== undefined ? [] : [table]),
    ]);
    expect([...new Set(lost)].sort()).toEqual([]);
  });
});

/** Segments that structures name though the version does not define them. */
const undefinedSegments: Readonly<Partial<Record<Version, readonly string[]>>> = {};

function readNames(version: Version) {
  const file = path.join(import.meta.dirname, '../../../../dist/definitions', `${version}.json`);
  const compact = JSON.parse(readFileSync(file, 'utf8')) as CompactVersion;
  return {
    structures: Object.keys(compact.structures),
    segments: Object.keys(compact.segments),
    datatypes: Object.keys(compact.datatypes),
    events: Object.entries(compact.events).flatMap(([type, text]) =>
      text
        .split(' ')
        .map((word) => of(version).findStructureName(type, word.split('=')[0] ?? '') ?? word),
    ),
  };
}

function listSegments(item: StructureItem | undefined): readonly string[] {
  if (item === undefined) return [];
  return item.kind === 'segment' ? [item.name] : item.items.flatMap(listSegments);
}

/** In the notation of the standard. */
function outline(structure: StructureItem | undefined): string {
  return (structure?.items ?? []).map(outlineItem).join(' ');
}

function outlineItem(item: StructureItem): string {
  const inner =
    item.kind === 'segment'
      ? item.name
      : item.kind === 'choice'
        ? `<${item.items.map(outlineItem).join('|')}>`
        : `${item.name}: ${outline(item)}`;
  const repeated = item.max === Infinity ? `{${inner}}` : inner;
  return item.min === 0 ? `[${repeated}]` : repeated;
}
