import type { Command } from 'commander';
import { ask, toReason } from './engine.ts';

/** `hilum replay ID`: sends a message again from where it first waited. */
export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('Send a message again from where it first waited, as a new message linked to it.')
    .argument('<id>', 'control id (the newest message with it) or message id')
    .action(async (id: string) => {
      const answer = await ask('POST', `/api/messages/${encodeURIComponent(id)}/replay`);
      if (answer.status === 404) {
        process.stderr.write(`hilum: no message has the id or control id ${id}\n`);
        process.exitCode = 1;
        return;
      }
      if (answer.status >= 300) throw new Error(toReason(answer));
      process.stdout.write(`${(answer.body as { id: string }).id}\n`);
    });
}
