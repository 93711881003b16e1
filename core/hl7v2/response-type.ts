import { isAtLeast } from './error-segment.ts';

/** What a response says in MSH-9. */
export interface ResponseType {
  readonly type: string;
  readonly event: string;
  readonly structure: string;
}

/**
 * One kind of request and the message that answers it, where that is not the general ACK. Events are in
 * the same order on both sides; a response with one event answers all of them with it.
 */
interface Rule {
  readonly request: string;
  readonly events: readonly string[];
  readonly response: string;
  readonly responseEvents: readonly string[];
  /** MSH-9.3; where it is not said, type and event of the response. */
  readonly structure?: string;
  /** The first version that has it. */
  readonly from?: string;
  /** The first version in which another rule has its place. */
  readonly before?: string;
}

/**
 * The response that the standard defines for a message, whoever makes it; undefined where the general
 * acknowledgment (ACK) is the answer, or where the standard lets the query choose the form of the answer
 * (EQQ, VQQ, SPQ and RQQ) or when it is given (EAC).
 * @param version MSH-12.1
 */
export function findResponseType(
  type: string,
  event: string,
  version: string,
): ResponseType | undefined {
  for (const rule of byRequest.get(type) ?? []) {
    const at = rule.events.indexOf(event);
    if (at === -1 || !isIn(rule, version)) continue;
    const answer = rule.responseEvents[at] ?? rule.responseEvents[0] ?? event;
    const structure = rule.structure ?? `${rule.response}_${answer}`;
    return { type: rule.response, event: answer, structure };
  }
  return undefined;
}

function isIn({ from, before }: Rule, version: string): boolean {
  if (from !== undefined && !isAtLeast(version, from)) return false;
  return before === undefined || !isAtLeast(version, before);
}

/** `ORM^O01` answered by `ORR^O02`; several events as `Q11 Q13`. */
function rule(request: string, response: string, more: Partial<Rule> = {}): Rule {
  const [requestType = '', events = ''] = request.split('^');
  const [responseType = '', responseEvents = ''] = response.split('^');
  return {
    request: requestType,
    events: events.split(' '),
    response: responseType,
    responseEvents: responseEvents.split(' '),
    ...more,
  };
}

const schedules = 'S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11';
const masterFiles = 'M01 M02 M03 M04 M05 M06 M07 M08 M09 M10 M11 M12 M13 M14 M15 M16 M17 M18';

const rules: readonly Rule[] = [
  // Chapter 3, patient administration.
  rule('QRY^A19', 'ADR^A19'),
  rule('QBP^Q21 Q22', 'RSP^K21 K22', { from: '2.4' }),
  rule('QBP^Q23', 'RSP^K23', { from: '2.4' }),
  rule('QBP^Q24', 'RSP^K24', { from: '2.4', before: '2.5' }),
  rule('QBP^Q24', 'RSP^K24', { from: '2.5', structure: 'RSP_K23' }),
  // Chapter 4, orders: each kind of order its own from 2.4 on, before that told apart by the type alone.
  rule('ORM^O01', 'ORR^O02'),
  rule('OSQ^Q06', 'OSR^Q06', { from: '2.3' }),
  rule('OMD^O01', 'ORD^O02', { before: '2.4' }),
  rule('OMS^O01', 'ORS^O02', { before: '2.4' }),
  rule('OMN^O01', 'ORN^O02', { before: '2.4' }),
  rule('RDE^O01', 'RRE^O02', { before: '2.4' }),
  rule('RDS^O01', 'RRD^O02', { before: '2.4' }),
  rule('RGV^O01', 'RRG^O02', { before: '2.4' }),
  rule('RAS^O01', 'RRA^O02', { before: '2.4' }),
  rule('OMD^O03', 'ORD^O04', { from: '2.4' }),
  rule('OMS^O05', 'ORS^O06', { from: '2.4' }),
  rule('OMN^O07', 'ORN^O08', { from: '2.4' }),
  rule('OMP^O09', 'ORP^O10', { from: '2.4' }),
  rule('RDE^O11', 'RRE^O12', { from: '2.4' }),
  rule('RDS^O13', 'RRD^O14', { from: '2.4' }),
  rule('RGV^O15', 'RRG^O16', { from: '2.4' }),
  rule('RAS^O17', 'RRA^O18', { from: '2.4' }),
  rule('OMG^O19', 'ORG^O20', { from: '2.4' }),
  rule('OML^O21', 'ORL^O22', { from: '2.4' }),
  rule('OMI^O23', 'ORI^O24', { from: '2.5' }),
  rule('RDE^O25', 'RRE^O26', { from: '2.5', structure: 'RRE_O12' }),
  rule('OMB^O27', 'ORB^O28', { from: '2.5' }),
  rule('BPS^O29', 'BRP^O30', { from: '2.5' }),
  rule('BTS^O31', 'BRT^O32', { from: '2.5' }),
  rule('OML^O33 O35', 'ORL^O34 O36', { from: '2.5' }),
  rule('OPL^O37', 'OPR^O38', { from: '2.6' }),
  rule('OML^O39', 'ORL^O40', { from: '2.7' }),
  rule('OMQ^O57', 'ORX^O58', { from: '2.8' }),
  rule('QBP^Q31 Q32', 'RSP^K31 K32', { from: '2.5.1' }),
  rule('QBP^O33 O34', 'RSP^O33 O34', { from: '2.8' }),
  // Chapter 4, vaccination: VXX^V02 instead where several patients match.
  rule('VXQ^V01', 'VXR^V03', { from: '2.3' }),
  // Chapter 5, queries.
  rule('QRY^Q01', 'DSR^Q01'),
  rule('QRY^Q02', 'MCF^Q02', { before: '2.2' }),
  rule('QRY^Q02', 'QCK^Q02', { from: '2.2' }),
  rule('QBP^Q11', 'RSP^K11', { from: '2.4' }),
  rule('QBP^Q13', 'RTB^K13', { from: '2.4' }),
  rule('QBP^Q15', 'RDY^K15', { from: '2.4' }),
  // Chapter 7, observations.
  rule('QRY^R02', 'ORF^R04'),
  rule('ORU^R30 R31 R32', 'ACK^R33', { from: '2.5', before: '2.7', structure: 'ACK' }),
  rule('ORU^R30 R31 R32', 'ORA^R33', { from: '2.7' }),
  rule('ORU^R40', 'ORA^R41', { from: '2.8' }),
  // Chapter 8, master files.
  rule(`MFN^${masterFiles}`, `MFK^${masterFiles}`, { from: '2.2', structure: 'MFK_M01' }),
  rule('MFQ^M04 M05 M06 M07', 'MFR^M04 M05 M06 M07', { from: '2.5.1' }),
  rule(`MFQ^${masterFiles}`, `MFR^${masterFiles}`, {
    from: '2.2',
    structure: 'MFR_M01',
  }),
  // Chapter 9, documents.
  rule('QRY^T12', 'DOC^T12', { from: '2.3' }),
  // Chapter 10, scheduling.
  rule(`SRM^${schedules}`, `SRR^${schedules}`, { from: '2.3', structure: 'SRR_S01' }),
  rule('SQM^S25', 'SQR^S25', { from: '2.3' }),
  // Chapter 11, referral.
  rule('RQI^I01', 'RPI^I01', { from: '2.3' }),
  rule('RQI^I02', 'RPL^I02', { from: '2.3' }),
  rule('RQI^I03', 'RPR^I03', { from: '2.3' }),
  rule('RQP^I04', 'RPI^I04', { from: '2.3' }),
  rule('RQC^I05', 'RCI^I05', { from: '2.3' }),
  rule('RQC^I06', 'RCL^I06', { from: '2.3' }),
  rule('RQA^I08 I09 I10 I11', 'RPA^I08 I09 I10 I11', { from: '2.3', structure: 'RPA_I08' }),
  rule('REF^I12 I13 I14 I15', 'RRI^I12 I13 I14 I15', { from: '2.3', structure: 'RRI_I12' }),
  rule('CCQ^I19', 'CQU^I19', { from: '2.7' }),
  rule('CCF^I22', 'CCI^I22', { from: '2.7' }),
  // Chapter 12, patient care.
  rule('QRY^PC4', 'PRR^PC5', { from: '2.3' }),
  rule('QRY^PC9', 'PPV^PCA', { from: '2.3' }),
  rule('QRY^PCE', 'PTR^PCF', { from: '2.3' }),
  rule('QRY^PCK', 'PPT^PCL', { from: '2.3' }),
  // Chapter 14, application management.
  rule('NMQ^N01', 'NMR^N01', { from: '2.2' }),
  // Chapter 15, personnel management.
  rule('QBP^Q25', 'RSP^K25', { from: '2.4' }),
  // Chapter 16, eClaims.
  rule('QBP^E03 E22', 'RSP^E03 E22', { from: '2.6' }),
];

const byRequest = Map.groupBy(rules, ({ request }) => request);
