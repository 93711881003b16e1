import { compileFlows } from '../../../runtime/deploy/definitions.ts';
import { readSettings } from '../../../runtime/settings.ts';

const read = (value?: string) =>
  readSettings({ ...(value === undefined ? {} : { HILUM_CHANGES: value }) });

it.each([
  [undefined, 16_384],
  ['', 16_384],
  ['off', 0],
  [' 2 ', 2_048],
  ['1024', 1_048_576],
])('reads %j', (value, changeBytes) => {
  expect(read(value)).toMatchObject({ ok: true, settings: { changeBytes } });
});

it.each(['0', '1025', '16KB', 'on', '1.5'])('refuses %s in words', (value) => {
  expect(read(value)).toEqual({
    ok: false,
    problems: [`HILUM_CHANGES: expected KiB from 1 to 1024, or off, found "${value}".`],
  });
});

describe('a tab', () => {
  const compile = (value: string) =>
    compileFlows(
      [
        { id: 'lab', type: 'tab', env: [{ name: 'HILUM_CHANGES', type: 'str', value }] },
        { id: 'other', type: 'tab' },
        ...['lab', 'other'].map((z) => ({ id: `${z}-in`, type: 'mllp in', z, port: '2575' })),
      ],
      { bind: '127.0.0.1', environment: {} },
    );

  it('says how much is kept of what its nodes change, for its own queues', () => {
    const { queues } = compile('4').definitions;
    expect(queues.map(({ name, changeBytes }) => [name, changeBytes])).toEqual([
      ['in.lab-in', 4_096],
      ['in.other-in', undefined],
    ]);
    expect(compile('off').definitions.queues[0]).toMatchObject({ changeBytes: 0 });
  });

  it('is refused with anything else', () => {
    expect(compile('all').issues).toContainEqual(
      expect.objectContaining({ code: 'changes-invalid', severity: 'error', location: 'lab' }),
    );
  });
});
