/**
 * What nodes choose from, as a deploy and a worker check it: a part of core's Mappings, which the editor's side could not
 * be compiled with.
 */
export interface InstalledMappings {
  readonly names: { readonly layers: readonly string[] };
  /** Undefined: there is no map for the message type. */
  version(messageType: string | undefined, layers: readonly string[]): string | undefined;
  /** Undefined: there is no table of this id. */
  table(id: string, layers: readonly string[]): object | undefined;
  fromFhir(layers: readonly string[]): {
    readonly maps: readonly { readonly id: string; readonly version: string }[];
    readonly version: string;
  };
  reverse(layers: readonly string[]): { readonly events: readonly string[] };
}
