/** Components by the words that people choose repetitions by, for the datatypes of fields that repeat. */
const components: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  CX: { id: [1], authority: [4, 1], type: [5], facility: [6, 1] },
  XPN: { family: [1, 1], given: [2], type: [7] },
  XAD: { city: [3], country: [6], type: [7] },
  XTN: { use: [2], type: [3], email: [4] },
  XCN: { id: [1], authority: [9, 1], type: [13] },
  XON: { name: [1], authority: [6, 1], type: [7], id: [10] },
  CE: { code: [1], text: [2], system: [3] },
};

/** Where those datatypes stand in every version that has the field: `SEGMENT: type positions; …`. */
const fields: Readonly<Record<string, string>> = {
  PID: 'CX 2 3 4 18 21; XPN 5 6 9; XAD 11; XTN 13 14 40; CE 10 22 26 39',
  PD1: 'XON 3; XCN 4; CX 21',
  MRG: 'CX 1 2 3 4 5 6; XPN 7',
  NK1: 'XPN 2 30; XAD 4 32; XTN 5 6 31; XON 13; CX 33; CE 3 7',
  PV1: 'XCN 7 8 9 17 52; CX 5 19 50',
  PV2: 'CE 3 12; XCN 13; XON 23',
  GT1: 'CX 2 19; XPN 3 4; XAD 5 17; XTN 6 7 18; XON 21',
  IN1: 'CX 3 49; XON 4 11; XAD 5 19; XPN 6 16; XTN 7',
  IN2: 'CX 1 25 26 61; XTN 63 64; XPN 40',
  ORC: 'XCN 10 11 12 19; XTN 14 23; XON 21; XAD 22 24',
  OBR: 'XCN 10 16 28; XTN 17; CE 4 31 44 47',
  OBX: 'CE 3 6 17; XCN 16 25; XON 23; XAD 24',
  DG1: 'CE 3; XCN 16',
  PR1: 'CE 3; XCN 8 11 12',
  ROL: 'XCN 4; XAD 11; XTN 12',
  RXA: 'CE 5 17 18 19; XCN 10',
  RXE: 'CE 2; XCN 13 14',
  RXO: 'CE 1; XCN 14 15',
  SCH: 'XCN 12 16 20; XTN 13 17 21; XAD 14 18 22',
  STF: 'CX 2; XPN 3; XAD 11; XTN 10',
  TXA: 'XCN 5 9 10 11 22',
  FT1: 'CE 7 19; XCN 20 21',
  AL1: 'CE 2 3',
  EVN: 'XCN 5',
};

const byField = new Map<string, string>(
  Object.entries(fields).flatMap(([segment, text]) =>
    text.split('; ').flatMap((part) => {
      const [datatype = '', ...positions] = part.split(' ');
      return positions.map((position) => [`${segment}-${position}`, datatype] as const);
    }),
  ),
);

/** The component (and sub-component) that a word means in a field such as `PID-3`; undefined where it means none. */
export function findComponent(field: string, word: string): readonly number[] | undefined {
  const named = components[byField.get(field) ?? ''] ?? {};
  return Object.hasOwn(named, word) ? named[word] : undefined;
}
