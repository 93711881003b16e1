/** Values of one invented lab result; what is not given follows from `index`. */
export interface LabResult {
  /** Makes control id, order numbers and values unique. */
  readonly index: number;
  readonly patient: number;
  readonly observations?: number;
}

const codes = [
  ['718-7', 'Hemoglobin', 'g/dL'],
  ['4544-3', 'Hematocrit', '%'],
  ['6690-2', 'Leukocytes', '10*3/uL'],
  ['777-3', 'Platelets', '10*3/uL'],
] as const;

/** An ORU_R01 (2.5.1) of invented people: one report with its observations. */
export function buildLabResult({ index, patient, observations = 3 }: LabResult): string {
  const day = String(1 + (index % 28)).padStart(2, '0');
  const time = `202611${day}0830`;
  return [
    `MSH|^~\\&|LIS|TESTLAB|HILUM|EHR|${time}||ORU^R01^ORU_R01|${controlIdOf(index)}|P|2.5.1`,
    `PID|1||${mrnOf(patient)}^^^TESTLAB^MR||Sample${patient}^Case||19700101|${patient % 2 ? 'F' : 'M'}`,
    `ORC|RE|P${index}^EHR|F${index}^TESTLAB`,
    `OBR|1|P${index}^EHR|F${index}^TESTLAB|58410-2^CBC panel^LN|||${time}|||||||||||||||${time}||LAB|F`,
    ...codes
      .slice(0, observations)
      .map(
        ([code, name, unit], at) =>
          `OBX|${at + 1}|NM|${code}^${name}^LN||${(index % 90) + at + 1}|${unit}|||||F|||${time}`,
      ),
    '',
  ].join('\r');
}

export function controlIdOf(index: number): string {
  return `LAB${String(index).padStart(6, '0')}`;
}

function mrnOf(patient: number): string {
  return `MRN${String(patient).padStart(5, '0')}`;
}
