import { decodeSwitches } from './escape-switches.ts';
import { maxRepeat, readTokens, toCount, type TextToken } from './escape-tokens.ts';
import type { Delimiters } from './message.ts';

/** Characters of one line that look alike. */
interface TextRun {
  readonly text: string;
  readonly highlighted: boolean;
}

/** A line of formatted text, as a console can show it. */
export interface TextLine {
  /** Spaces in front of it. */
  readonly indent: number;
  readonly centred: boolean;
  /** False where the sender breaks lines itself: the line is not to be wrapped. */
  readonly wraps: boolean;
  readonly runs: readonly TextRun[];
}

/**
 * A raw value of type FT, TX or CF as lines: highlighting, indents, centring and breaks as its escape
 * sequences say, what they say not about as text. `.in` with a sign moves the margin, without one sets it,
 * without a number takes it back to the edge; `.ti` does so for one line, from the margin. Line ends in
 * decoded text break lines too. HL7 v2 chapter 2, formatting codes.
 */
export function renderText(
  raw: string,
  delimiters: Delimiters,
  charset?: string,
): readonly TextLine[] {
  const page = new Page();
  for (const token of decodeSwitches(readTokens(raw, delimiters, charset), charset)) {
    page.take(token);
  }
  return page.finish();
}

/** Lines as plain text: indents and centring (where a width is given) as spaces, nothing wrapped. */
export function formatLines(lines: readonly TextLine[], width?: number): string {
  return lines
    .map(({ indent, centred, runs }) => {
      const text = runs.map((run) => run.text).join('');
      const space = centred && width !== undefined ? Math.floor((width - text.length) / 2) : indent;
      return text === '' ? '' : ' '.repeat(Math.max(0, space)) + text;
    })
    .join('\n');
}

const blankLine: TextLine = { indent: 0, centred: false, wraps: true, runs: [] };

class Page {
  private readonly lines: TextLine[] = [];
  private runs: TextRun[] = [];
  private margin = 0;
  private shift = 0;
  private centred = false;
  private wraps = true;
  private highlighted = false;

  take(token: TextToken): void {
    switch (token.kind) {
      case 'text':
        for (const [index, text] of token.text.split(/\r\n|\r|\n/).entries()) {
          if (index > 0) this.endLine();
          this.add(text);
        }
        break;
      case 'highlight':
        this.highlighted = token.on;
        break;
      case 'layout':
        this.layOut(token);
        break;
      default:
        this.add(token.raw);
    }
  }

  finish(): readonly TextLine[] {
    this.endLine();
    return this.lines;
  }

  private add(text: string): void {
    const last = this.runs.at(-1);
    if (text === '') return;
    if (last?.highlighted !== this.highlighted) {
      this.runs.push({ text, highlighted: this.highlighted });
      return;
    }
    this.runs[this.runs.length - 1] = { ...last, text: last.text + text };
  }

  private endLine(): void {
    const { centred, wraps, runs } = this;
    const indent = clamp(this.margin + this.shift);
    // Empty lines, of which a few characters can ask for many, are one and the same.
    const isBlank = runs.length === 0 && indent === 0 && !centred && wraps;
    this.lines.push(isBlank ? blankLine : { indent, centred, wraps, runs });
    if (runs.length > 0) this.runs = [];
    this.shift = 0;
    this.centred = false;
  }

  private layOut({ name, number, raw }: Extract<TextToken, { readonly kind: 'layout' }>): void {
    const count = toCount(number);
    switch (name) {
      case 'in':
        this.margin = clamp(/^[-+]/.test(number) ? this.margin + Number(number) : Number(number));
        break;
      case 'ti':
        this.shift = Number(number);
        break;
      case 'fi':
      case 'nf':
        this.wraps = name === 'fi';
        break;
      case 'sk':
        this.add(count === undefined ? raw : ' '.repeat(count));
        break;
      case 'sp':
        for (let left = count ?? 1; left > 0; left--) this.endLine();
        break;
      default:
        this.endLine();
        this.centred = name === 'ce';
    }
  }
}

function clamp(spaces: number): number {
  return Math.min(Math.max(spaces, 0), maxRepeat);
}
