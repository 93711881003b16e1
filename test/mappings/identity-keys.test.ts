import { parse as parseYaml } from 'yaml';
import { readMappingFilesSync } from '../../connectors/file/mapping-files.ts';
import { mappingsFolder } from './support.ts';

interface Identified {
  readonly id: string;
  readonly target?: { readonly fhir: string };
  readonly identity?: { readonly key: { readonly by?: readonly (readonly string[])[] } };
}

/** Where the assigning authority stands: XCN.9 of a person, XON.6 of an organization. HL7 v2 chapter 2A. */
const authority: Readonly<Record<string, RegExp>> = {
  Practitioner: /(^|\.)9$/,
  Organization: /(^|[-\d]\.)6$/,
};

test('an authority tells equal numbers apart, and is none itself: it stands in `and`, and not in `by`', () => {
  const wrong = readMappingFilesSync(mappingsFolder)
    .filter(({ path }) => /\.map\.ya?ml$/.test(path))
    .flatMap(({ text }) => {
      const { id, target, identity } = parseYaml(text) as Identified;
      const pattern = authority[target?.fhir ?? ''];
      const parts = (identity?.key.by ?? []).flat();
      return pattern !== undefined && parts.some((part) => pattern.test(part)) ? [id] : [];
    });
  expect(wrong).toEqual([]);
});
