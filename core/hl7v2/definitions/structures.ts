import type { Version, VersionRange } from './versions.ts';
import { isWithin } from './versions.ts';

/**
 * Message structures in the notation of the standard: `[ ]` optional, `{ }` repeating, the order as
 * written. A group is what stands in brackets; its name is not needed to find what is wrong.
 * HL7 v2 chapter 3 (ADT), chapter 7 (ORU), chapter 2 (ACK).
 */
interface StructureText extends VersionRange {
  readonly text: string;
}

const structures: Readonly<Record<string, readonly StructureText[]>> = {
  ADT_A01: [
    {
      from: '2.3',
      to: '2.3.1',
      text: `MSH EVN PID [PD1] [{NK1}] PV1 [PV2] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG]
        [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}]}] [ACC] [UB1] [UB2]`,
    },
    {
      from: '2.4',
      to: '2.4',
      text: `MSH EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG]
        [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]`,
    },
    {
      from: '2.5',
      to: '2.5.1',
      text: `MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}]
        [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]`,
    },
    {
      from: '2.6',
      to: '2.7.1',
      text: `MSH [{SFT}] [UAC] EVN PID [PD1] [{ARV}] [{ROL}] [{NK1}] PV1 [PV2] [{ARV}] [{ROL}] [{DB1}]
        [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}]
        [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]`,
    },
    {
      from: '2.8',
      text: `MSH [{SFT}] [UAC] EVN PID [PD1] [{ARV}] [{ROL}] [{NK1}] PV1 [PV2] [{ARV}] [{ROL}] [{DB1}]
        [{OBX}] [{AL1}] [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}]
        [{IN1 [IN2] [{IN3}] [{ROL}] [{AUT}] [{RF1}]}] [ACC] [UB1] [UB2] [PDA]`,
    },
  ],
  ORU_R01: [
    {
      from: '2.3',
      to: '2.3',
      text: `MSH {[PID [PD1] [{NTE}] [PV1 [PV2]]]
        {[ORC] OBR [{NTE}] [{OBX [{NTE}]}] [{CTI}]}} [DSC]`,
    },
    {
      from: '2.3.1',
      to: '2.3.1',
      text: `MSH {[PID [PD1] [{NK1}] [{NTE}] [PV1 [PV2]]]
        {[ORC] OBR [{NTE}] [{OBX [{NTE}]}] [{CTI}]}} [DSC]`,
    },
    {
      from: '2.4',
      to: '2.4',
      text: `MSH {[PID [PD1] [{NK1}] [{NTE}] [PV1 [PV2]]]
        {[ORC] OBR [{NTE}] [CTD] [{[OBX] [{NTE}]}] [{FT1}] [{CTI}]}} [DSC]`,
    },
    {
      from: '2.5',
      to: '2.5.1',
      text: `MSH [{SFT}] {[PID [PD1] [{NTE}] [{NK1}] [PV1 [PV2]]]
        {[ORC] OBR [{NTE}] [{TQ1 [{TQ2}]}] [CTD] [{OBX [{NTE}]}] [{FT1}] [{CTI}] [{SPM [{OBX}]}]}} [DSC]`,
    },
    {
      from: '2.6',
      to: '2.6',
      text: `MSH [{SFT}] [UAC] {[PID [PD1] [{NTE}] [{NK1}] [{OBX}] [PV1 [PV2]]]
        {[ORC] OBR [{NTE}] [{ROL}] [{TQ1 [{TQ2}]}] [CTD] [{OBX [{NTE}]}] [{FT1}] [{CTI}]
        [{SPM [{OBX}]}]}} [DSC]`,
    },
    {
      from: '2.7',
      to: '2.7.1',
      text: `MSH [{SFT}] [UAC] {[PID [PD1] [{PRT}] [{NTE}] [{NK1}] [{OBX [{PRT}]}] [PV1 [PV2] [{PRT}]]]
        {[ORC] OBR [{NTE}] [{PRT}] [{TQ1 [{TQ2}]}] [CTD] [{OBX [{PRT}] [{NTE}]}] [{FT1}] [{CTI}]
        [{SPM [{OBX [{PRT}]}]}]}} [DSC]`,
    },
    {
      from: '2.8',
      text: `MSH [{SFT}] [UAC] {[PID [PD1] [{PRT}] [{NTE}] [{NK1}] [{ARV}] [{OBX [{PRT}]}] [PV1 [PV2] [{PRT}]]]
        {[ORC [{PRT}] [{OBX [{PRT}]} TXA]] OBR [{NTE}] [{PRT}] [{TQ1 [{TQ2}]}] [CTD]
        [{OBX [{PRT}] [{NTE}]}] [{FT1}] [{CTI}] [{SPM [{OBX [{PRT}]}]}]}} [DSC]`,
    },
  ],
  ACK: [
    { from: '2.3', to: '2.4', text: 'MSH MSA [{ERR}]' },
    { from: '2.5', to: '2.5.1', text: 'MSH [{SFT}] MSA [{ERR}]' },
    { from: '2.6', text: 'MSH [{SFT}] [UAC] MSA [{ERR}]' },
  ],
};

/** HL7 table 0354: which structure an event has, as `TYPE^EVENT`. */
const structureOfEvent: Readonly<Record<string, string>> = {
  'ADT^A01': 'ADT_A01',
  'ADT^A04': 'ADT_A01',
  'ADT^A08': 'ADT_A01',
  'ADT^A13': 'ADT_A01',
  'ORU^R01': 'ORU_R01',
};

/** The name of the structure that a message type and event have; undefined where we do not know it. */
export function findStructureName(type: string, event: string): string | undefined {
  return type === 'ACK' ? 'ACK' : structureOfEvent[`${type}^${event}`];
}

/** Whether a structure of that name is described here, for any version. */
export function isStructure(name: string): boolean {
  return Object.hasOwn(structures, name);
}

/** A structure of a version in the standard's notation; undefined where it is not described here. */
export function findStructureText(name: string, version: Version): string | undefined {
  if (!isStructure(name)) return undefined;
  return structures[name]?.find((each) => isWithin(version, each))?.text;
}
