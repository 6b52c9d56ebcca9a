import { Info, Returns, Transaction } from 'fabric-contract-api';
import { answer, WaymarkContract, TransactionContext } from '../contract.ts';
import { Refusal, refuseInput } from '../errors.ts';
import { decimal, readArgument } from '../json/readers.ts';
import { sha256Hex } from '../json/forms.ts';
import { readRange } from '../state/range.ts';
import { requireAdmin, requireOrganisation } from './authority.ts';
import * as input from './input.ts';
import { publish } from './keys.ts';
import {
  keyHeadKey,
  keyStatementKey,
  membersKey,
  nodeKey,
  organisationKey,
  proposalKey,
  type KeyStatement,
  type Node,
  type Proposal,
} from './model.ts';
import * as nodes from './nodes.ts';
import { approve, findRepeated, proposalHash, sortMemberships, stateOf, type ProposalState } from './proposals.ts';

declare const WAYMARK_VERSION: string;

const changedEvent = 'participants.changed';
const maximumPage = 100;

/**
 * The register: organisations, their nodes and certificates, encryption keys. Authority comes from the caller's certificate
 * (MSP id and NodeOU role, both checked by the peers) and from this register; no argument confers any.
 */
@Info({
  title: 'waymark',
  description: 'Register of organisations, nodes and encryption keys',
  version: WAYMARK_VERSION,
})
export class ParticipantsContract extends WaymarkContract {
  constructor() {
    super('participants');
  }

  /**
   * Proposes the founding of the consortium and approves it for the caller's organisation. It is founded when every listed
   * organisation has approved the same list; until then no evidence is taken. Several lists may be proposed, one wins.
   *
   * Who: an admin of a listed organisation. Argument: `{organisations: [{mspId, role, field?}, ...]}`, 2 to 64, in any order.
   * Answers `{hash, state, approvals, needed, repeated}`.
   */
  @Transaction()
  @Returns('string')
  public async found(ctx: TransactionContext, foundingJson: string): Promise<string> {
    const { caller } = ctx;
    requireAdmin(caller);
    const organisations = sortMemberships(readArgument(foundingJson, 'founding', input.foundingInput).organisations);
    if (new Set(organisations.map(({ mspId }) => mspId)).size < organisations.length)
      refuseInput('founding.organisations', 'name one twice');
    if (!organisations.some(({ mspId }) => mspId === caller.mspId)) {
      throw new Refusal('role-not-permitted', { mspId: caller.mspId, reason: 'not-in-the-list' });
    }
    return this.#proposeAndApprove(ctx, { v: 1, type: 'founding', channel: ctx.stub.getChannelID(), organisations });
  }

  /**
   * Proposes to admit an organisation or to change a role, and approves it for the caller's organisation. It takes effect when a
   * majority of the admitted organisations has approved. The proposal is bound to the member list of the moment: when another
   * change takes effect first, it is dead and has to be made again.
   *
   * Who: an admin of an admitted organisation. Argument: `{kind: "admit" | "change-role", mspId, role, field?}`.
   */
  @Transaction()
  @Returns('string')
  public async propose(ctx: TransactionContext, changeJson: string): Promise<string> {
    const { ledger, caller } = ctx;
    requireAdmin(caller);
    await requireOrganisation(ledger, caller.mspId);
    const { kind, organisation } = readArgument(changeJson, 'change', input.changeInput);
    const repeated = await findRepeated(ledger, caller, { kind, organisation });
    if (repeated !== undefined) return answer(repeated);
    const members = await ledger.get(membersKey);
    const { epoch, organisations } = members ?? { epoch: 0, organisations: [] };
    const existing = organisations.find(({ mspId }) => mspId === organisation.mspId);
    if (kind === 'admit' && existing !== undefined) throw alreadySo(organisation.mspId, 'already-admitted');
    if (kind === 'change-role' && existing === undefined) throw alreadySo(organisation.mspId, 'not-admitted');
    if (kind === 'change-role' && existing?.role === organisation.role && existing.field === organisation.field) {
      throw alreadySo(organisation.mspId, 'same-role');
    }
    if (kind === 'admit' && organisations.length >= input.maximumOrganisations) {
      throw new Refusal('limit-exceeded', { limit: input.maximumOrganisations, what: 'organisations' });
    }
    const voters = organisations.map(({ mspId }) => mspId);
    const channel = ctx.stub.getChannelID();
    return this.#proposeAndApprove(ctx, { v: 1, type: 'change', channel, epoch, voters, kind, organisation });
  }

  /**
   * Approves a proposal by its hash. One approval per organisation, which binds the proposal's whole content.
   *
   * Who: an admin of an organisation that has a vote on it.
   */
  @Transaction()
  @Returns('string')
  public async approve(ctx: TransactionContext, hash: string): Promise<string> {
    const { ledger, caller } = ctx;
    requireAdmin(caller);
    const state = await approve(ledger, caller, sha256Hex(hash, 'hash'));
    return this.#announceProposal(ctx, state);
  }

  /**
   * Registers a node of the caller's organisation with its certificates.
   *
   * Who: an admin of the organisation, for itself only. Argument: `{enrolmentId, kind, certificates: [digest, ...]}`.
   */
  @Transaction()
  @Returns('string')
  public async registerNode(ctx: TransactionContext, nodeJson: string): Promise<string> {
    const { enrolmentId, kind, certificates } = readArgument(nodeJson, 'node', input.nodeInput);
    return this.#changeNode(ctx, enrolmentId, (change) => nodes.register(change, kind, certificates));
  }

  /** Revokes a node for good. Who: an admin of its organisation. Argument: `{enrolmentId, reason}`. */
  @Transaction()
  @Returns('string')
  public async revokeNode(ctx: TransactionContext, revocationJson: string): Promise<string> {
    const { enrolmentId, reason } = readArgument(revocationJson, 'revocation', input.nodeRevocationInput);
    return this.#changeNode(ctx, enrolmentId, (change) => nodes.revoke(change, reason));
  }

  /** Adds a certificate beside those a node has. Who: an admin of its organisation. Argument: `{enrolmentId, certificate}`. */
  @Transaction()
  @Returns('string')
  public async addCertificate(ctx: TransactionContext, certificateJson: string): Promise<string> {
    const { enrolmentId, certificate } = readArgument(certificateJson, 'certificate', input.certificateInput);
    return this.#changeNode(ctx, enrolmentId, (change) => nodes.addCertificate(change, certificate));
  }

  /**
   * Adds a certificate and revokes the one it replaces, at once: batches signed under the old one that are not yet recorded are
   * refused from then on (`addCertificate`, then `revokeCertificate`, leaves time for them).
   *
   * Who: an admin of its organisation. Argument: `{enrolmentId, certificate, replaces}`.
   */
  @Transaction()
  @Returns('string')
  public async renewCertificate(ctx: TransactionContext, renewalJson: string): Promise<string> {
    const { enrolmentId, certificate, replaces } = readArgument(renewalJson, 'renewal', input.renewalInput);
    if (certificate === replaces) refuseInput('renewal.replaces', 'is the new certificate itself');
    return this.#changeNode(ctx, enrolmentId, (change) => nodes.addCertificate(change, certificate, replaces));
  }

  /** Revokes one certificate. Who: an admin of its organisation. Argument: `{enrolmentId, certificate, reason}`. */
  @Transaction()
  @Returns('string')
  public async revokeCertificate(ctx: TransactionContext, revocationJson: string): Promise<string> {
    const { enrolmentId, certificate, reason } = readArgument(
      revocationJson,
      'revocation',
      input.certificateRevocationInput,
    );
    return this.#changeNode(ctx, enrolmentId, (change) => nodes.revokeCertificate(change, certificate, reason));
  }

  /**
   * Publishes the caller's own encryption key, as a statement that it signed; see `keys.ts` for what is checked.
   *
   * Who: a registered, unrevoked node, for itself only. Argument: the statement of docs/formats.md ("Encryption key statement"),
   * base64url. Answers `{kid, seq, repeated}`.
   */
  @Transaction()
  @Returns('string')
  public async publishKey(ctx: TransactionContext, statement: string): Promise<string> {
    const { ledger, caller } = ctx;
    const outcome = await publish(ledger, caller, ctx.stub.getChannelID(), statement);
    if (!outcome.repeated) this.#announce(ctx, [`key/${caller.mspId}/${caller.enrolmentId}/${outcome.seq}`]);
    return answer({ v: 1, ...outcome });
  }

  /** The organisation's role. Who: anybody who may read the channel. Throws `refused` when it is not admitted. */
  @Transaction(false)
  @Returns('string')
  public async getOrganisation(ctx: TransactionContext, mspId: string): Promise<string> {
    return found(await ctx.ledger.get(organisationKey(mspId)), { mspId });
  }

  /** All admitted organisations with the member list's epoch. Who: any reader. Throws `refused` before the founding. */
  @Transaction(false)
  @Returns('string')
  public async listOrganisations(ctx: TransactionContext): Promise<string> {
    return found(await ctx.ledger.get(membersKey), { reason: 'not-founded' });
  }

  /** A proposal with its state: `{proposal, state: {...}}`. Who: any reader. Throws `refused` for an unknown hash. */
  @Transaction(false)
  @Returns('string')
  public async getProposal(ctx: TransactionContext, hash: string): Promise<string> {
    const { ledger } = ctx;
    const proposal = await ledger.get(proposalKey(sha256Hex(hash, 'hash')));
    if (proposal === undefined) throw new Refusal('refused', { hash, reason: 'not-there' });
    return answer({ v: 1, proposal, state: await stateOf(ledger, hash, proposal) });
  }

  /** A node with its certificates. Who: any reader. Throws `refused` when it was never registered. */
  @Transaction(false)
  @Returns('string')
  public async getNode(ctx: TransactionContext, mspId: string, enrolmentId: string): Promise<string> {
    return found(await ctx.ledger.get(nodeKey(mspId, enrolmentId)), { enrolmentId, mspId });
  }

  /**
   * Nodes of an organisation, revoked ones included, in the order of their ids: `{nodes, next}`; `next` is what to pass as
   * `from` for the next page, or null. Who: any reader. `from`: the first id, or empty; `limit`: 1 to 100.
   */
  @Transaction(false)
  @Returns('string')
  public async listNodes(ctx: TransactionContext, mspId: string, from: string, limit: string): Promise<string> {
    const count = decimal(limit, 'limit', 1, maximumPage);
    const page = await readRange<Node>(ctx, {
      objectType: 'node',
      prefix: [mspId],
      limit: count + 1,
      ...(from === '' ? {} : { from }),
    });
    return answer({
      v: 1,
      nodes: page.slice(0, count),
      next: page[count]?.enrolmentId ?? null,
    });
  }

  /** A participant's newest key statement. Who: any reader. Throws `refused` when there is none. */
  @Transaction(false)
  @Returns('string')
  public async getKey(ctx: TransactionContext, msp: string, participant: string): Promise<string> {
    const { ledger } = ctx;
    const head = await ledger.get(keyHeadKey(msp, participant));
    return found(head && (await ledger.get(keyStatementKey(msp, participant, head.seq))), { msp, participant });
  }

  /** A participant's key statements from `fromSeq` on: `{keys, next}`. Who: any reader. `limit`: 1 to 100. */
  @Transaction(false)
  @Returns('string')
  public async getKeyHistory(
    ctx: TransactionContext,
    msp: string,
    participant: string,
    fromSeq: string,
    limit: string,
  ): Promise<string> {
    const { ledger } = ctx;
    const first = decimal(fromSeq, 'fromSeq', 1, Number.MAX_SAFE_INTEGER);
    const count = decimal(limit, 'limit', 1, maximumPage);
    const last = (await ledger.get(keyHeadKey(msp, participant)))?.seq ?? 0;
    const keys: (KeyStatement | undefined)[] = [];
    for (let seq = first; seq <= last && keys.length < count; seq++)
      keys.push(await ledger.get(keyStatementKey(msp, participant, seq)));
    return answer({
      v: 1,
      keys,
      next: first + keys.length <= last ? first + keys.length : null,
    });
  }

  async #proposeAndApprove(ctx: TransactionContext, proposal: Proposal): Promise<string> {
    const { ledger, caller } = ctx;
    const hash = proposalHash(proposal);
    if ((await ledger.get(proposalKey(hash))) === undefined) {
      if (proposal.type === 'founding' && (await ledger.get(membersKey)) !== undefined) {
        throw new Refusal('conflict', { hash, reason: 'already-founded' });
      }
      await ledger.put(proposalKey(hash), proposal);
    }
    return this.#announceProposal(ctx, await approve(ledger, caller, hash));
  }

  #announceProposal(ctx: TransactionContext, state: ProposalState): string {
    if (!state.repeated) this.#announce(ctx, [`${state.state === 'applied' ? 'members' : 'proposal'}/${state.hash}`]);
    return answer(state);
  }

  async #changeNode(
    ctx: TransactionContext,
    enrolmentId: string,
    act: (change: nodes.NodeChange) => Promise<nodes.NodeOutcome>,
  ): Promise<string> {
    const { ledger, caller } = ctx;
    requireAdmin(caller);
    await requireOrganisation(ledger, caller.mspId);
    const { node, repeated } = await act({ ledger, mspId: caller.mspId, enrolmentId, txId: ctx.stub.getTxID() });
    if (!repeated) this.#announce(ctx, [`node/${caller.mspId}/${enrolmentId}`]);
    return answer({ v: 1, node, repeated });
  }

  #announce(ctx: TransactionContext, keys: readonly string[]): void {
    ctx.emit(changedEvent, { v: 1, keys });
  }
}

function alreadySo(mspId: string, reason: string): Refusal {
  return new Refusal('conflict', { mspId, reason });
}

function found(value: object | undefined, id: Readonly<Record<string, string>>): string {
  if (value === undefined) throw new Refusal('refused', { reason: 'not-there', ...id });
  return answer(value);
}
