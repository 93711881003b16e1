import { findResponseType } from '../../../core/hl7v2/response-type.ts';

describe('the response of the standard', () => {
  it.each([
    ['QBP^Q11', '2.5.1', 'RSP^K11^RSP_K11'],
    ['QBP^Q21', '2.5', 'RSP^K21^RSP_K21'],
    ['QBP^Q22', '2.5', 'RSP^K22^RSP_K22'],
    ['QBP^Q23', '2.5', 'RSP^K23^RSP_K23'],
    ['QBP^Q24', '2.4', 'RSP^K24^RSP_K24'],
    ['QBP^Q24', '2.5.1', 'RSP^K24^RSP_K23'],
    ['QBP^Q25', '2.5.1', 'RSP^K25^RSP_K25'],
    ['QBP^Q13', '2.5.1', 'RTB^K13^RTB_K13'],
    ['QBP^Q15', '2.5.1', 'RDY^K15^RDY_K15'],
    ['QBP^Q31', '2.6', 'RSP^K31^RSP_K31'],
    ['QRY^A19', '2.3', 'ADR^A19^ADR_A19'],
    ['QRY^Q02', '2.1', 'MCF^Q02^MCF_Q02'],
    ['QRY^Q02', '2.3', 'QCK^Q02^QCK_Q02'],
    ['QRY^R02', '2.3', 'ORF^R04^ORF_R04'],
    ['ORM^O01', '2.3.1', 'ORR^O02^ORR_O02'],
    ['ORM^O01', '2.5.1', 'ORR^O02^ORR_O02'],
    ['RDE^O01', '2.3.1', 'RRE^O02^RRE_O02'],
    ['RDE^O11', '2.5.1', 'RRE^O12^RRE_O12'],
    ['RDE^O25', '2.5.1', 'RRE^O26^RRE_O12'],
    ['RDS^O13', '2.5.1', 'RRD^O14^RRD_O14'],
    ['RGV^O15', '2.5.1', 'RRG^O16^RRG_O16'],
    ['RAS^O17', '2.5.1', 'RRA^O18^RRA_O18'],
    ['OMP^O09', '2.5.1', 'ORP^O10^ORP_O10'],
    ['OMG^O19', '2.5.1', 'ORG^O20^ORG_O20'],
    ['OML^O21', '2.5.1', 'ORL^O22^ORL_O22'],
    ['OML^O33', '2.5.1', 'ORL^O34^ORL_O34'],
    ['OML^O35', '2.5.1', 'ORL^O36^ORL_O36'],
    ['OML^O39', '2.7', 'ORL^O40^ORL_O40'],
    ['SRM^S04', '2.5.1', 'SRR^S04^SRR_S01'],
    ['MFN^M02', '2.5.1', 'MFK^M02^MFK_M01'],
    ['MFQ^M05', '2.4', 'MFR^M05^MFR_M01'],
    ['MFQ^M05', '2.5.1', 'MFR^M05^MFR_M05'],
    ['REF^I14', '2.5.1', 'RRI^I14^RRI_I12'],
    ['RQA^I09', '2.5.1', 'RPA^I09^RPA_I08'],
    ['VXQ^V01', '2.3.1', 'VXR^V03^VXR_V03'],
    ['ORU^R30', '2.5.1', 'ACK^R33^ACK'],
    ['ORU^R30', '2.8', 'ORA^R33^ORA_R33'],
    ['QRY^PC9', '2.4', 'PPV^PCA^PPV_PCA'],
    ['QBP^E03', '2.6', 'RSP^E03^RSP_E03'],
  ])('to %s of %s is %s', (request, version, expected) => {
    const [type = '', event = ''] = request.split('^');
    const found = findResponseType(type, event, version);
    expect(found && `${found.type}^${found.event}^${found.structure}`).toBe(expected);
  });

  it.each([
    ['ADT', 'A01', '2.5.1'],
    ['ORU', 'R01', '2.5.1'],
    ['OUL', 'R22', '2.5.1'],
    ['QCN', 'J01', '2.5.1'],
    ['VXU', 'V04', '2.5.1'],
    ['SIU', 'S12', '2.5.1'],
    ['OML', 'O39', '2.5.1'],
    ['ZZZ', 'Z01', '2.5.1'],
    ['', '', ''],
  ])('to %s^%s of %s is the general acknowledgment', (type, event, version) => {
    expect(findResponseType(type, event, version)).toBeUndefined();
  });
});
