import type { Draws } from './draws.ts';

/** One step of the differential contract (contract/program.cjs says what each does). */
export type Step = { readonly do: string; readonly caught?: boolean } & Readonly<Record<string, unknown>>;
export type Program = readonly Step[];

export const STRICT = 'strict';
export const LOOSE = 'loose';
export const ORG1 = 'Org1MSP';
export const ORG2 = 'Org2MSP';

/** Order by code unit and by UTF-8 differ among these. */
const ODD_KEYS = ['é', '\ue000', '\u{1f600}', '￿', 'k\u0001', 'kk', 'K', ' '];
const COMPOSITE_TYPES = ['lot', 'lotus', 'é'];
const PARTS = ['a', 'b', 'ab', 'é', '\u{1f600}'];
const BOUNDS: readonly (readonly [string, string])[] = [
  ['k', 'l'],
  ['', ''],
  ['', 'k5'],
  ['k5', ''],
  ['k5', 'k2'],
  ['k2', 'k2'],
  ['wide', 'widf'],
  ['é', '\u{1f600}'],
  ['\u{1f600}', 'k'],
];
const LONG = 'x'.repeat(3000);

/** What a transaction may do, so that it stays comparable or survivable. */
export interface ProgramKind {
  /** Key policies are touched, in the chaincode's own namespace and on keys that are never deleted: else Fabric's peer may stop for good. */
  readonly policies: boolean;
  /** Nothing is written. */
  readonly readOnly: boolean;
}

export function drawProgram(draws: Draws, kind: ProgramKind): Program {
  const steps: Step[] = [];
  const protectedKeys = draws.of(['p', 'p', 'm', 'e'] as const);
  for (let left = 1 + draws.below(5); left > 0; left--) steps.push(drawStep(draws, kind, protectedKeys));
  if (draws.once(25)) steps.push(drawEnd(draws));
  return steps;
}

/**
 * Keys with policies, of one family in a program. Where members of two organisations and a peer of one are asked for, by
 * different keys, it depends on which key comes first whether Fabric finds endorsers, and Fabric's keys come in any order: so
 * members of both are asked for by one key, which is alone in its program. Keys with empty policies are soon stuck.
 */
type ProtectedKeys = 'p' | 'm' | 'e';
const PROTECTED_COUNTS = { p: 4, m: 1, e: 3 } as const;
export const PROTECTED_KEYS = Object.entries(PROTECTED_COUNTS).flatMap(([family, count]) =>
  Array.from({ length: count }, (_, index) => `${family}${index}`),
);

const protectedKey = (draws: Draws, family: ProtectedKeys): string =>
  `${family}${draws.below(PROTECTED_COUNTS[family])}`;

function drawKeyPolicy(draws: Draws, family: ProtectedKeys): { organisations: readonly string[]; role: string } {
  const organisations = family === 'e' ? draws.of([[], [ORG1]]) : draws.of([[ORG1], [ORG2], [ORG1, ORG2]]);
  const roleIsFree = family === 'm' || organisations.length < 2;
  return { organisations, role: roleIsFree ? draws.of(['PEER', 'MEMBER']) : 'PEER' };
}

const key = (draws: Draws): string => (draws.once(6) ? draws.of(ODD_KEYS) : `k${draws.below(10)}`);
const value = (draws: Draws): string =>
  draws.of([`v${draws.below(1000)}`, `v${draws.below(1000)}`, 'é\u{1f600}', LONG]);

function drawStep(draws: Draws, { policies, readOnly }: ProgramKind, protectedKeys: ProtectedKeys): Step {
  const caught = draws.once(2);
  const read = (): Step => drawRead(draws, caught);
  if (readOnly) return read();
  switch (draws.below(policies ? 16 : 13)) {
    case 0:
    case 1:
    case 2:
      return { do: 'put', key: key(draws), value: value(draws) };
    case 3:
      return { do: 'del', key: key(draws) };
    case 4:
      return { do: 'put', key: `wide${String(draws.below(150)).padStart(3, '0')}`, value: 'w' };
    case 5:
      return { do: 'putComposite', type: draws.of(COMPOSITE_TYPES), parts: drawParts(draws, 1), value: value(draws) };
    case 6:
      return { do: 'delComposite', type: draws.of(COMPOSITE_TYPES), parts: drawParts(draws, 1) };
    case 7:
      return { do: 'event', name: `event${draws.below(5)}`, payload: draws.of(['', 'payload', '\u{1f600}']) };
    case 8:
      return policies ? read() : drawInvoke(draws, caught);
    case 9:
    case 10:
    case 11:
    case 12:
      return read();
    case 13:
      return { do: 'put', key: protectedKey(draws, protectedKeys), value: value(draws) };
    default: {
      const key = protectedKey(draws, protectedKeys);
      return { do: 'setPolicy', key, ...drawKeyPolicy(draws, protectedKeys) };
    }
  }
}

function drawRead(draws: Draws, caught: boolean): Step {
  const [start, end] = draws.of(BOUNDS);
  switch (draws.below(12)) {
    case 0:
    case 1:
    case 2:
      return { do: 'get', key: key(draws) };
    case 3:
      return { do: 'range', start, end, limit: draws.of([0, 1, 3, 60, 1000]) };
    case 4:
      return {
        do: 'page',
        start,
        end,
        size: draws.of([1, 2, 5, 100, 100_001, 0, -1]),
        bookmark: draws.of(['', '', 'k3', 'k9', '\u{1f600}']),
        caught,
      };
    case 5:
      return {
        do: 'composite',
        type: draws.of(COMPOSITE_TYPES),
        parts: drawParts(draws, 0),
        limit: draws.of([1, 1000]),
      };
    case 6:
      return {
        do: 'compositePage',
        type: draws.of(COMPOSITE_TYPES),
        parts: drawParts(draws, 0),
        size: 1 + draws.below(4),
        caught,
      };
    case 7:
      return { do: 'history', key: key(draws) };
    case 8:
      return { do: 'getPolicy', key: draws.of(PROTECTED_KEYS) };
    case 9:
      return { do: 'transient', name: 'secret' };
    case 10:
      return { do: 'query', selector: '{"selector":{}}', caught };
    default:
      return { do: 'identity' };
  }
}

/** Of the other chaincode, of itself, of one that is not there, and on another channel. */
function drawInvoke(draws: Draws, caught: boolean): Step {
  const inner = draws.of<Program>([
    [{ do: 'get', key: key(draws) }],
    [{ do: 'put', key: key(draws), value: value(draws) }],
    [{ do: 'range', start: 'k', end: 'l', limit: 1000 }],
    [{ do: 'event', name: 'inner', payload: 'inner' }],
    [{ do: 'fail', message: 'the inner one refuses' }],
    [{ do: 'answer', status: 404, message: 'the inner one has nothing' }],
  ]);
  return {
    do: 'invoke',
    chaincode: draws.of([STRICT, LOOSE, LOOSE, 'nothing']),
    program: inner,
    channel: draws.once(8) ? 'otherchannel' : '',
    caught,
  };
}

function drawEnd(draws: Draws): Step {
  return draws.of<Step>([
    { do: 'fail', message: 'refused, é' },
    { do: 'fail', message: '' },
    { do: 'answer', status: 404, message: 'nothing here', payload: 'p' },
    { do: 'answer', status: 499, message: '' },
    { do: 'answer', status: 500, message: 'own status', payload: 'p' },
    { do: 'answer', status: 503, message: 'own status' },
    { do: 'answer', status: 201, message: 'created', payload: 'p' },
    { do: 'answer', status: 399, message: 'odd' },
    { do: 'answer', status: 1, message: 'tiny' },
  ]);
}

function drawParts(draws: Draws, least: number): string[] {
  return Array.from({ length: least + draws.below(3 - least) }, () => draws.of(PARTS));
}
