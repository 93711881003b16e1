import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** An element of an XML document: its name, its attributes as text, what it contains in order. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text directly in it. */
  readonly text: string;
}

/** Why there is no document, in words for people. */
export type XmlResult =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly message: string };

/** Deeper than any conformance profile. */
const maxDepth = 40;

/**
 * Reads an XML document. Entities that a document declares itself are refused, so nothing in it can multiply
 * or be fetched; of the others only XML's own five and numbers are decoded.
 */
export function readXml(xml: string): XmlResult {
  const text = xml.replace(/^\uFEFF/, '');
  if (text.includes('<!ENTITY')) {
    return { ok: false, message: 'The XML declares entities of its own; expected none' };
  }
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is one more package; the parser alone accepts what is no XML
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    const { line, col, msg } = valid.err;
    return { ok: false, message: `The file is no XML: line ${line}, column ${col}: ${msg}` };
  }
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: false,
    trimValues: true,
    removeNSPrefix: true,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: maxDepth,
  });
  try {
    const [root] = toElements(parser.parse(text) as OrderedXml);
    return root === undefined
      ? { ok: false, message: 'The file is empty; expected XML' }
      : { ok: true, root };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `The file cannot be read as XML: ${reason}` };
  }
}

/** The parser's form: an object a node with its name as the key, attributes under `:@`. */
type OrderedXml = readonly Readonly<Record<string, unknown>>[];

function toElements(nodes: OrderedXml): readonly XmlElement[] {
  return nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ':@');
    if (name === undefined || name === '#text' || name.startsWith('?')) return [];
    const inner = node[name] as OrderedXml;
    const attributes = Object.entries((node[':@'] ?? {}) as Readonly<Record<string, string>>);
    const texts = inner.map((each) => each['#text']).filter((each) => typeof each === 'string');
    return [
      {
        name,
        attributes: Object.fromEntries(attributes.map(([key, value]) => [key, decode(value)])),
        children: toElements(inner),
        text: decode(texts.join(' ')).trim(),
      },
    ];
  });
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w{1,10}));/g, (whole, ...found) => {
    const [decimal, hex, name] = found as (string | undefined)[];
    if (name !== undefined) return named[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });
}
