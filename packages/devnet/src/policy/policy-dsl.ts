import { common, msp } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';

const PRINCIPAL = /^([A-Za-z0-9.-]+)\.(admin|member|client|peer|orderer)$/;
const TOKEN = /\s*(?:([A-Za-z]+)|(\d+)|'([^']*)'|"([^"]*)"|([(),]))/y;
const MAX_LENGTH = 64 * 1024;

const ROLES = {
  member: msp.MSPRole.MSPRoleType.MEMBER,
  admin: msp.MSPRole.MSPRoleType.ADMIN,
  client: msp.MSPRole.MSPRoleType.CLIENT,
  peer: msp.MSPRole.MSPRoleType.PEER,
  orderer: msp.MSPRole.MSPRoleType.ORDERER,
} as const;

type Gate = 'and' | 'or' | 'outof';
type Node =
  | { readonly kind: 'principal'; readonly text: string }
  | { readonly kind: 'gate'; readonly n: number; readonly arguments: readonly Node[] };

/**
 * Reads Fabric's policy language: `AND`, `OR`, `OutOf(n, …)` over `'MspId.role'` (common/policydsl/policyparser.go). The
 * bytes of the result are those that Fabric's own tools make. Throws DevnetError POLICY_INVALID.
 */
export function signaturePolicyFromString(text: string): common.SignaturePolicyEnvelope {
  if (text.length > MAX_LENGTH) throw new DevnetError('POLICY_INVALID', 'the policy text is too long');
  const parser = new Parser(text);
  const root = parser.parse();
  if (root.kind !== 'gate') throw new DevnetError('POLICY_INVALID', 'a policy starts with AND, OR or OutOf');
  const identities: msp.MSPPrincipal[] = [];
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(buildRule(root, identities));
  envelope.setIdentitiesList(identities);
  return envelope;
}

/** Inner gates number their principals before the outer gate does, as Fabric's evaluation order has it. */
function buildRule(node: Node, identities: msp.MSPPrincipal[]): common.SignaturePolicy {
  const rule = new common.SignaturePolicy();
  if (node.kind === 'principal') {
    identities.push(buildPrincipal(node.text));
    rule.setSignedBy(identities.length - 1);
    return rule;
  }
  const inner = new Map<Node, common.SignaturePolicy>();
  for (const argument of node.arguments) {
    if (argument.kind === 'gate') inner.set(argument, buildRule(argument, identities));
  }
  const nOutOf = new common.SignaturePolicy.NOutOf();
  nOutOf.setN(node.n);
  nOutOf.setRulesList(node.arguments.map((argument) => inner.get(argument) ?? buildRule(argument, identities)));
  rule.setNOutOf(nOutOf);
  return rule;
}

function buildPrincipal(text: string): msp.MSPPrincipal {
  const [, mspId, role] = PRINCIPAL.exec(text) ?? [];
  if (mspId === undefined || role === undefined) {
    throw new DevnetError('POLICY_INVALID', `expected 'MspId.role', got '${text}'`);
  }
  const mspRole = new msp.MSPRole();
  mspRole.setMspIdentifier(mspId);
  mspRole.setRole(ROLES[role as keyof typeof ROLES]);
  const principal = new msp.MSPPrincipal();
  principal.setPrincipalClassification(msp.MSPPrincipal.Classification.ROLE);
  principal.setPrincipal(mspRole.serializeBinary());
  return principal;
}

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node {
    const node = this.#node();
    if (this.#text.slice(this.#position).trim() !== '') this.#fail();
    return node;
  }

  #node(): Node {
    const token = this.#next();
    if (token.kind === 'string') return { kind: 'principal', text: token.text };
    if (token.kind !== 'word') return this.#fail();
    const gate = gateOf(token.text) ?? this.#fail();
    this.#expect('(');
    const n = gate === 'outof' ? this.#number() : undefined;
    const children: Node[] = [];
    if (n !== undefined) this.#expect(',');
    for (;;) {
      children.push(this.#node());
      const separator = this.#next();
      if (separator.kind === 'mark' && separator.text === ')') break;
      if (separator.kind !== 'mark' || separator.text !== ',') this.#fail();
    }
    const needed = n ?? (gate === 'and' ? children.length : 1);
    if (needed > children.length + 1) {
      throw new DevnetError('POLICY_INVALID', `invalid t-out-of-n predicate, t ${needed}, n ${children.length}`);
    }
    return { kind: 'gate', n: needed, arguments: children };
  }

  #number(): number {
    const token = this.#next();
    return token.kind === 'number' ? Number(token.text) : this.#fail();
  }

  #expect(mark: string): void {
    const token = this.#next();
    if (token.kind !== 'mark' || token.text !== mark) this.#fail();
  }

  #next(): { kind: 'word' | 'number' | 'string' | 'mark'; text: string } {
    TOKEN.lastIndex = this.#position;
    const match = TOKEN.exec(this.#text);
    if (match === null) return this.#fail();
    this.#position = TOKEN.lastIndex;
    const [, word, number, single, double, mark] = match;
    if (word !== undefined) return { kind: 'word', text: word };
    if (number !== undefined) return { kind: 'number', text: number };
    if (mark !== undefined) return { kind: 'mark', text: mark };
    return { kind: 'string', text: single ?? double ?? '' };
  }

  #fail(): never {
    throw new DevnetError('POLICY_INVALID', `unrecognized token at character ${this.#position} of the policy`);
  }
}

/** Fabric knows each gate in its own spelling, all lower and all upper case. */
function gateOf(word: string): Gate | undefined {
  switch (word) {
    case 'And':
    case 'and':
    case 'AND':
      return 'and';
    case 'Or':
    case 'or':
    case 'OR':
      return 'or';
    case 'OutOf':
    case 'outof':
    case 'OUTOF':
      return 'outof';
    default:
      return undefined;
  }
}
