/** A search parameter: how its value is compared, and with which elements, of whichever type has them. */
export interface SearchParameter {
  readonly kind: 'token' | 'string' | 'date' | 'reference';
  readonly paths: readonly string[];
  /** The only type that the reference may lead to. */
  readonly target?: string;
}

/** Every parameter that the demo EHR understands. FHIR R4, the search parameters of each resource. */
export const searchParameters: Readonly<Record<string, SearchParameter>> = {
  _id: { kind: 'token', paths: ['id'] },
  _lastUpdated: { kind: 'date', paths: ['meta.lastUpdated'] },
  _tag: { kind: 'token', paths: ['meta.tag'] },
  _profile: { kind: 'token', paths: ['meta.profile'] },
  identifier: { kind: 'token', paths: ['identifier'] },
  status: { kind: 'token', paths: ['status'] },
  code: { kind: 'token', paths: ['code'] },
  category: { kind: 'token', paths: ['category'] },
  type: { kind: 'token', paths: ['type'] },
  class: { kind: 'token', paths: ['class'] },
  intent: { kind: 'token', paths: ['intent'] },
  gender: { kind: 'token', paths: ['gender'] },
  active: { kind: 'token', paths: ['active'] },
  telecom: { kind: 'token', paths: ['telecom'] },
  accession: { kind: 'token', paths: ['accessionIdentifier'] },
  requisition: { kind: 'token', paths: ['requisition'] },
  event: { kind: 'token', paths: ['eventCoding'] },
  'vaccine-code': { kind: 'token', paths: ['vaccineCode'] },
  name: { kind: 'string', paths: ['name'] },
  family: { kind: 'string', paths: ['name.family'] },
  given: { kind: 'string', paths: ['name.given'] },
  address: { kind: 'string', paths: ['address'] },
  birthdate: { kind: 'date', paths: ['birthDate'] },
  issued: { kind: 'date', paths: ['issued'] },
  authored: { kind: 'date', paths: ['authoredOn'] },
  date: {
    kind: 'date',
    paths: [
      'effectiveDateTime',
      'effectiveInstant',
      'effectivePeriod',
      'occurrenceDateTime',
      'period',
      'date',
    ],
  },
  patient: { kind: 'reference', paths: ['subject', 'patient'], target: 'Patient' },
  subject: { kind: 'reference', paths: ['subject'] },
  encounter: { kind: 'reference', paths: ['encounter'] },
  specimen: { kind: 'reference', paths: ['specimen'] },
  'based-on': { kind: 'reference', paths: ['basedOn'] },
  result: { kind: 'reference', paths: ['result'] },
  performer: { kind: 'reference', paths: ['performer', 'performer.actor'] },
  requester: { kind: 'reference', paths: ['requester'] },
  'has-member': { kind: 'reference', paths: ['hasMember'] },
  target: { kind: 'reference', paths: ['target'] },
  focus: { kind: 'reference', paths: ['focus'] },
  practitioner: { kind: 'reference', paths: ['practitioner'], target: 'Practitioner' },
  organization: {
    kind: 'reference',
    paths: ['organization', 'managingOrganization'],
    target: 'Organization',
  },
};
