/** The part of the package that we use; it brings no types. */
declare module '@lhncbc/ucum-lhc' {
  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    /** `status` is `invalid` where the code is none; logs to the console where the code holds a blank. */
    validateUnitString(code: string): { readonly status: 'valid' | 'invalid' | 'error' };
  }
}
