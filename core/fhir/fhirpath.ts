import fhirpath from 'fhirpath';
import model from 'fhirpath/fhir-context/r4';

const compiled = new Map<string, (collection: readonly object[]) => readonly unknown[]>();

/**
 * What a FHIRPath expression gives over a collection of R4 resources: `Patient.birthDate = @1980-01-02` over all of
 * them. Throws where the expression is none, or cannot be evaluated on what is there. FHIRPath 2.0.
 */
export function evaluateFhirPath(
  collection: readonly object[],
  expression: string,
): readonly unknown[] {
  let evaluate = compiled.get(expression);
  if (evaluate === undefined) {
    evaluate = fhirpath.compile(expression, model) as NonNullable<typeof evaluate>;
    compiled.set(expression, evaluate);
  }
  return evaluate(collection);
}
