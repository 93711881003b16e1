import type { Command } from 'commander';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { parsePathExpression } from '../core/hl7v2/parse-path.ts';
import { toOneLine } from '../core/hl7v2/tree.ts';
import { forEachFile, reportIssues, type ExitCode } from './input.ts';

/**
 * `hilum get FILE PATH…`: decoded values, a line a path, message after message; an empty line where there
 * is none, `\n` for a line break inside a value, `""` for the HL7 null.
 */
export function registerGet(program: Command): void {
  program
    .command('get')
    .description('Print values of HL7 v2 messages, a line a path such as PID-3[2].4.1.')
    .argument('<file>', 'a file with one or more messages; - is standard input')
    .argument('<path...>', 'PID-5, PID-3[2].4.1, OBX[3]-5')
    .action(async (file: string, paths: readonly string[]) => {
      const faults = paths
        .map(parsePathExpression)
        .flatMap((result) => (result.ok ? [] : [result.issue]));
      if (faults.length > 0) {
        for (const fault of faults) process.stderr.write(`hilum get: ${fault.message}\n`);
        process.exitCode = 2;
        return;
      }
      await forEachFile([file], (input) => {
        let code: ExitCode = 0;
        for (const { bytes, number } of input.messages) {
          const parsed = parseMessage(bytes);
          if (parsed.ok) {
            const lines = paths.map((path) => `${toOneLine(parsed.message.get(path) ?? '')}\n`);
            process.stdout.write(lines.join(''));
          } else {
            reportIssues(file, parsed.issues, input.messages.length > 1 ? number : undefined);
            code = 1;
          }
        }
        return code;
      });
    });
}
