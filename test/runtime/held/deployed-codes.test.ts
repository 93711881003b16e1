import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HeldCode } from '../../../core/held-code.ts';
import type { FlowNode } from '../../../core/interface.ts';
import { nothingDeployed } from '../../../runtime/deploy/deployed.ts';
import { followDeployedCodes } from '../../../runtime/held/deployed-codes.ts';
import { makeTempFolder } from '../../support/temp.ts';

const directory = makeTempFolder('deployed-codes');
for (const [name, text] of [
  ['tables/wards.csv', 'code,target\n1,A\n'],
  ['layers/acme/wards.csv', 'code,target\n2,B\n'],
] as const) {
  mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
  writeFileSync(path.join(directory, name), text);
}

const translate = (layers: string, more: object = {}): FlowNode => ({
  ...{ id: 'n', type: 'code translate', z: 't', table: 'wards', onUnmapped: 'hold', layers },
  ...more,
});
const held: HeldCode = { node: 'n', layers: 'acme', table: 'wards', code: '7W', source: 'PV1-3' };

it.each<[string, FlowNode[], boolean, object | undefined]>([
  ['the node', [translate('acme')], true, { file: 'layers/acme/wards.csv', row: '7W,TARGET' }],
  ['a node that is gone', [], false, undefined],
  ['a node that is disabled', [translate('acme', { d: true })], false, undefined],
  ['a node with a layer that is gone', [translate('gone')], false, undefined],
])('says whether %s waits still, and where to add the code', async (_, flows, isAwaited, row) => {
  const deployed = { ...nothingDeployed, flows, mappings: { directory, hash: 'x' } };
  const codes = await followDeployedCodes(() => deployed, {})();
  expect(codes.isAwaited(held)).toBe(isAwaited);
  expect(codes.findRow(held)).toEqual(row);
  expect(codes.findRow({ ...held, layers: 'gone' })).toEqual(row);
});
