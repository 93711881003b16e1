/**
 * Elements that US Core 7.0.0 says must be supported and that nothing in HL7 v2 becomes, by profile, with the reason. All
 * others must be made by some case.
 */
export const notInV2: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'us-core-careteam': { status: 'ROL and PRT do not say whether a team is in place.' },
  'us-core-condition-encounter-diagnosis': { 'abatement[x]': 'DG1 does not say when it ended.' },
  'us-core-condition-problems-health-concerns': {
    'meta.lastUpdated': 'The server says when it has changed a resource.',
    'extension:assertedDate':
      'PRB-7 is when the problem was established on the list: recordedDate.',
    'category:screening-assessment': 'PRB does not say of which assessment a problem comes.',
  },
  'us-core-diagnosticreport-lab': { 'meta.lastUpdated': 'The server says so.' },
  'us-core-diagnosticreport-note': {
    media: 'A picture in OBX-5 is a result, and presentedForm.',
    'media.link': 'As media.',
  },
  'us-core-documentreference': { 'content.format': 'TXA-3 is the media type.' },
  'us-core-encounter': {
    'meta.lastUpdated': 'The server says so.',
    reasonReference: 'PV2-3 is the reason as a code.',
    serviceProvider: 'PV1-39 names a facility by a code alone, which is no organization.',
  },
  'us-core-location': {
    status: 'PV1-40 is the operational status of a bed.',
    managingOrganization: 'PL.4 is a location, of which the others are parts.',
  },
  'us-core-medicationdispense': {
    'dosageInstruction.text': 'RXD has none; the order that it authorizes has.',
    'dosageInstruction.timing': 'As the text.',
    'dosageInstruction.doseAndRate': 'As the text.',
    'dosageInstruction.doseAndRate.dose[x]': 'As the text.',
  },
  'us-core-medicationrequest': {
    'extension:medicationAdherence': 'Pharmacy messages do not tell what a patient takes.',
    'reported[x]': 'An order is the record itself, and reports no other.',
    reasonReference: 'RXO-20 and RXE-27 are the reason as a code.',
  },
  'us-core-observation-lab': { 'meta.lastUpdated': 'The server says so.' },
  'us-core-organization': {
    active: 'HL7 v2 does not say whether an organization is in business.',
  },
  'us-core-practitionerrole': { endpoint: 'XTN is a telecom.' },
  'us-core-procedure': {
    basedOn: 'PR1 names no order.',
    reasonReference: 'PR1-15 is a code.',
  },
  'us-core-relatedperson': { active: 'HL7 v2 does not say so.' },
  'us-core-simple-observation': { derivedFrom: 'OBX does not say of which other it was made.' },
};

/** Profiles that no resource of ours claims. */
export const notClaimed: Readonly<Record<string, string>> = {
  'us-core-blood-pressure': 'Systolic and diastolic come as an OBX each: us-core-vital-signs.',
  'us-core-pulse-oximetry': 'It wants two codes for one thing; OBX-3 has one of LOINC.',
  'us-core-observation-occupation':
    'It wants a period and the industry as a part; OBX-14 is a time.',
  'us-core-implantable-device': 'PRT-10 does not say that a device is implanted.',
};

/** Of the profiles of single vital signs: they are one quantity. */
export const ofQuantity: Readonly<Record<string, string>> = {
  dataAbsentReason: 'Without a value the profile us-core-vital-signs is claimed.',
  component: 'It has no parts.',
  'component.code': 'It has no parts.',
  'component.value[x]': 'It has no parts.',
  'component.dataAbsentReason': 'It has no parts.',
};
