import type { FlowNode } from '../../../core/interface.ts';

const lookUp = `
const wards = { MED: 'INTERNAL', SUR: 'SURGERY', ICU: 'INTENSIVE' };
const visit = msg.payload.split('\\r').find((line) => line.startsWith('PV1'));
msg.ward = wards[visit.split('|')[3].split('^')[0]] ?? 'OTHER';
return msg;`;

const edits = [
  ['MSH-3', 'HILUM'],
  ['MSH-4', 'INTEGRATION'],
  ['MSH-5', 'RECEIVER'],
  ['MSH-6', 'NORTH'],
  ['PID-3.4', 'NORTHERN'],
  ['PID-5.7', 'D'],
  ['PID-11.6', 'DE'],
  ['PV1-2', 'O'],
  ['PV1-19.5', 'VN'],
] as const;

/** MLLP in ▸ validate ▸ table look-up ▸ ten edits ▸ MLLP out. */
export function buildFlow(ports: {
  readonly listener: number;
  readonly partner: number;
  /** Of the tab, and with it of its nodes; one of its own for each interface. */
  readonly tab?: string;
  readonly group?: string;
  /** By how many workers its messages can be shared, on RabbitMQ. */
  readonly lanes?: number;
}): readonly FlowNode[] {
  const { tab = 'bench', group, lanes = 1 } = ports;
  const env = group === undefined ? [] : [{ name: 'HILUM_GROUP', value: group, type: 'str' }];
  const on = (id: string, type: string, wires: readonly (readonly string[])[], more: object) => ({
    id,
    type,
    z: tab,
    name: '',
    x: 0,
    y: 0,
    wires,
    ...more,
  });
  return [
    { id: tab, type: 'tab', label: tab, disabled: false, env },
    on(`${tab}-in`, 'mllp in', [[`${tab}-check`]], {
      port: String(ports.listener),
      lanes: String(lanes),
    }),
    on(`${tab}-check`, 'hl7 validate', [[`${tab}-look-up`], []], { version: '', profile: '' }),
    on(`${tab}-look-up`, 'function', [[`${tab}-edit`]], {
      func: lookUp,
      outputs: 1,
      timeout: 0,
      noerr: 0,
      initialize: '',
      finalize: '',
      libs: [],
    }),
    on(`${tab}-edit`, 'hl7 edit', [[`${tab}-out`]], {
      missing: 'fail',
      edits: [
        ...edits.map(([path, value]) => ({ action: 'set', path, source: 'text', value })),
        { action: 'set', path: 'PV1-10', source: 'msg', value: 'ward' },
      ],
    }),
    on(`${tab}-out`, 'mllp out', [[], []], {
      host: '127.0.0.1',
      port: String(ports.partner),
      timeoutSeconds: '30',
      concurrency: '16',
      order: 'key',
    }),
  ];
}
