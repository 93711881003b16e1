import { describeWith } from '../support/programs.ts';
import { deploy } from './deploy.ts';
import { runShort } from './harness/short.ts';

describeWith('git', 'over the embedded broker', () => {
  it('loses nothing by deploys and by crashes in their middle', async () => {
    await runShort(deploy, 'embedded');
  }, 400_000);
});
