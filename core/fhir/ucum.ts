import { UcumLhcUtils } from '@lhncbc/ucum-lhc';

/** What FHIR calls the Unified Code for Units of Measure. */
export const ucumSystem = 'http://unitsofmeasure.org';

/** Senders use few units; one that makes up new ones all the time does not fill the memory. */
const maxKnown = 2_000;
const known = new Map<string, boolean>();

/** Whether it is a unit of UCUM, case sensitive: `mg/dL`, `10*3/uL`, `{beats}/min`. UCUM 2.1. */
export function isUcum(code: string): boolean {
  const before = known.get(code);
  if (before !== undefined) return before;
  if (known.size >= maxKnown) known.clear();
  const is = check(code);
  known.set(code, is);
  return is;
}

function check(code: string): boolean {
  // The package takes blanks for an exception, and prints them.
  if (!/^[\x21-\x7e]{1,100}$/.test(code)) return false;
  return UcumLhcUtils.getInstance().validateUnitString(code).status === 'valid';
}

/**
 * The unit of UCUM that a usual notation of laboratories and pharmacies stands for: `x10^3/uL` for `10*3/uL`, `mmHg` for
 * `mm[Hg]`. Undefined where it is none that we know.
 */
export function findUcum(notation: string): string | undefined {
  const text = notation
    .replace(/\s+/g, '')
    .replace(/[µμ]/g, 'u')
    .replaceAll('²', '2')
    .replaceAll('³', '3')
    .replace(/^x?10(?:\*\*|[*^]|e\+?)(\d+)/i, '10*$1')
    .replace(/^per(?=[a-z])/i, '/');
  const parts = text.split(/([/.])/).map(toUcumPart);
  const found = parts.join('');
  return found !== notation && isUcum(found) ? found : undefined;
}

function toUcumPart(part: string): string {
  if (part === '' || part === '/' || part === '.') return part;
  const named = notations.get(part.toLowerCase());
  if (named !== undefined && !isUcum(part)) return named;
  if (isUcum(part)) return part;
  return spellings.find((spelling) => spelling.toLowerCase() === part.toLowerCase()) ?? part;
}

/** Units of which the case is often wrong. */
const spellings = [
  'kg g mg ug ng pg L dL mL uL fL mol mmol umol nmol pmol m cm mm um h min s d wk mo Cel kPa U kU mU meq eq',
  'mosm osm [IU] m[IU] k[IU] [HPF] [LPF] [CFU] [degF] mm[Hg] cm[H2O]',
].flatMap((line) => line.split(' '));

/** By the notation in small letters. */
const notations: ReadonlyMap<string, string> = new Map(
  [
    'mcg=ug gm=g gms=g gram=g grams=g kgs=kg lb=[lb_av] lbs=[lb_av] oz=[oz_av] in=[in_i] inch=[in_i]',
    'inches=[in_i] ft=[ft_i] cc=mL liter=L sec=s secs=s mins=min hr=h hrs=h hour=h hours=h day=d days=d week=wk',
    'weeks=wk month=mo months=mo yr=a yrs=a year=a years=a iu=[IU] miu=m[IU] uiu=u[IU] kiu=k[IU] meq=meq',
    'mosm=mosm cfu=[CFU] mmhg=mm[Hg] cmh2o=cm[H2O] degc=Cel °c=Cel celsius=Cel degf=[degF] °f=[degF]',
    'fahrenheit=[degF] hpf=[HPF] lpf=[LPF] percent=% bpm={beats}/min beats={beats} cells={cells} copies={copies}',
    'ratio={ratio} index={index} inr={INR} titer={titer} score={score} tab={tablet} tablet={tablet}',
    'tablets={tablet} cap={capsule} capsule={capsule} capsules={capsule} puff={puff} puffs={puff} drop=[drp]',
    'drops=[drp] each={each} #={#}',
  ].flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])),
);
