import { Option, type Command } from 'commander';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { toByteRanges } from '../core/hl7v2/byte-range.ts';
import { decodeMessage } from '../core/hl7v2/charset.ts';
import type { Hl7Message, ValuePlace } from '../core/hl7v2/message.ts';
import { parsePathExpression } from '../core/hl7v2/parse-path.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { formatLines, renderText } from '../core/hl7v2/text-lines.ts';
import { toOneLine } from '../core/hl7v2/tree.ts';
import { forEachFile, reportIssues, type ExitCode } from './input.ts';

type Form = 'text' | 'raw' | 'lines';

interface Options {
  readonly all?: boolean;
  readonly where?: boolean;
  readonly as: Form;
}

/**
 * `hilum get FILE PATH…`: decoded values, a line a path, message after message; an empty line where there
 * is none, `\n` for a line break inside a value, `""` for the HL7 null. With `--as raw` as it stands in the
 * message; with `--as lines` formatted text as lines, indents and centring as spaces. With `--all` a line a value. With
 * `--where` in front of each its place and its bytes within the message, tab-separated: `PID[1]-3[2].1 88-95`;
 * a place that the message does not have gives no line with either.
 */
export function registerGet(program: Command): void {
  program
    .command('get')
    .description('Print values of HL7 v2 messages, a line a path such as PID-3[2].4.1.')
    .argument('<file>', 'a file with one or more messages; - is standard input')
    .argument(
      '<path...>',
      'PID-3[2].4.1, PID-3[type=MR].1, OBX[3.1=2345-7]-5, ORDER_OBSERVATION[2].OBX-5',
    )
    .addOption(
      new Option('--as <form>', 'decoded text, as it stands, or formatted text as lines')
        .choices(['text', 'raw', 'lines'])
        .default('text'),
    )
    .option('--all', 'every value at the path, not only the first')
    .option('--where', 'in front of each value its place, and its first byte and the one behind it')
    .action(async (file: string, paths: readonly string[], options: Options) => {
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
          const { text, charset } = decodeMessage(bytes);
          const parsed = parseMessage(text, { charset, definitions: openDefinitions() });
          if (parsed.ok) {
            const print = (path: string) =>
              toLines({ message: parsed.message, charset }, path, options);
            process.stdout.write(paths.flatMap(print).join(''));
          } else {
            reportIssues(file, parsed.issues, input.messages.length > 1 ? number : undefined);
            code = 1;
          }
        }
        return code;
      });
    });
}

function toLines(
  { message, charset }: { readonly message: Hl7Message; readonly charset: string },
  path: string,
  { all = false, where = false, as }: Options,
): readonly string[] {
  const places = message.places(path);
  const chosen = all ? places : places.slice(0, 1);
  if (chosen.length === 0 && !all && !where) return ['\n'];
  const values = chosen.map((place) => show(message, place, { as, charset }));
  if (!where) return values.map((value) => `${value}\n`);
  const ranges = chosen.map(({ range }) => range);
  return toByteRanges(message.text, charset, ranges).map(
    ({ start, end }, at) => `${chosen[at]?.location}\t${start}-${end}\t${values[at]}\n`,
  );
}

function show(
  { text, delimiters }: Hl7Message,
  { range, value }: ValuePlace,
  { as: form, charset }: { readonly as: Form; readonly charset: string },
): string {
  if (form === 'text') return toOneLine(value);
  const raw = text.slice(range.start, range.end);
  return form === 'raw' ? toOneLine(raw) : formatLines(renderText(raw, delimiters, charset));
}
