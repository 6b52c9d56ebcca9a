import type { peer } from '@hyperledger/fabric-protos';
import type { Layout } from '../inquire/index.ts';
import type { GatewayEndorser } from './gateway-context.ts';
import type { EndpointError } from './rpc-error.ts';

interface OpenLayout {
  readonly required: Map<string, number>;
  readonly endorsements: peer.Endorsement[];
}

/**
 * Which peers to ask, whom to ask instead when one fails, and when enough have endorsed (Fabric:
 * internal/pkg/gateway/endorsement.go). A peer may be listed in several groups, but counts in the last of them only: a
 * layout that needs it in two is never satisfied, as in Fabric.
 */
export class EndorsementPlan {
  readonly errors: EndpointError[] = [];
  readonly #layouts: (OpenLayout | undefined)[];
  readonly #groups: Map<string, GatewayEndorser[]>;
  readonly #groupOf: ReadonlyMap<GatewayEndorser, string>;
  #next = 0;
  #payload: Uint8Array | undefined;
  #completed: OpenLayout | undefined;

  constructor(layouts: readonly Layout[], groups: ReadonlyMap<string, readonly GatewayEndorser[]>) {
    this.#layouts = layouts.map((layout) => ({ required: new Map(layout), endorsements: [] }));
    this.#groups = new Map([...groups].map(([group, endorsers]) => [group, [...endorsers]]));
    this.#groupOf = new Map([...groups].flatMap(([group, endorsers]) => endorsers.map((peer) => [peer, group])));
  }

  get isComplete(): boolean {
    return this.#completed !== undefined;
  }

  /** The agreed payload and the endorsements, one per endorser; undefined while incomplete. */
  get result(): { readonly payload: Uint8Array; readonly endorsements: readonly peer.Endorsement[] } | undefined {
    if (this.#completed === undefined || this.#payload === undefined) return undefined;
    const all = this.#completed.endorsements;
    const endorsements = all.filter((endorsement, index) => {
      const endorser = endorsement.getEndorser_asU8();
      return !all.slice(0, index).some((earlier) => Buffer.compare(earlier.getEndorser_asU8(), endorser) === 0);
    });
    return { payload: this.#payload, endorsements };
  }

  /** The peers of the next layout that can still be satisfied, taken out of their groups; undefined when there is none. */
  endorsers(): GatewayEndorser[] | undefined {
    for (; this.#next < this.#layouts.length; this.#next++) {
      const layout = this.#layouts[this.#next];
      if (layout === undefined) continue;
      const required = [...layout.required];
      if (!required.every(([group, quantity]) => quantity <= (this.#groups.get(group)?.length ?? 0))) {
        this.#layouts[this.#next] = undefined;
        continue;
      }
      return required.flatMap(([group, quantity]) => this.#groups.get(group)?.splice(0, quantity) ?? []);
    }
    return undefined;
  }

  /** Counts an endorsement in all layouts. False when its payload is not that of the others. */
  addEndorsement(endorser: GatewayEndorser, response: peer.ProposalResponse): boolean {
    this.#take(endorser);
    const payload = response.getPayload_asU8();
    if (this.#payload === undefined) this.#payload = payload;
    else if (Buffer.compare(this.#payload, payload) !== 0) {
      this.addError(endorser, 'ProposalResponsePayloads do not match');
      return false;
    }
    const endorsement = response.getEndorsement();
    const group = this.groupOf(endorser) ?? '';
    for (const layout of this.#layouts.slice(this.#next)) {
      const quantity = layout?.required.get(group);
      if (layout === undefined || quantity === undefined) continue;
      if (endorsement !== undefined) layout.endorsements.push(endorsement);
      if (quantity > 1) layout.required.set(group, quantity - 1);
      else layout.required.delete(group);
      if (layout.required.size === 0) {
        this.#completed = layout;
        break;
      }
    }
    return true;
  }

  addError(endorser: GatewayEndorser, message: string): void {
    this.errors.push({ address: endorser.address, mspId: endorser.mspId, message });
  }

  /** The group that the peer counts in; undefined for one that no policy asks for. */
  groupOf(endorser: GatewayEndorser): string | undefined {
    return this.#groupOf.get(endorser);
  }

  /** Another peer of the same group, to be asked instead. */
  nextInGroup(endorser: GatewayEndorser): GatewayEndorser | undefined {
    return this.#groups.get(this.groupOf(endorser) ?? '')?.shift();
  }

  /** Gives up the layouts that need these groups and goes on to the next one. */
  abandonGroups(groups: readonly string[]): void {
    for (let index = this.#next; index < this.#layouts.length; index++) {
      if (groups.some((group) => this.#layouts[index]?.required.has(group))) this.#layouts[index] = undefined;
    }
    this.#next++;
  }

  #take(endorser: GatewayEndorser): void {
    const group = this.#groups.get(this.groupOf(endorser) ?? '');
    const index = group?.indexOf(endorser) ?? -1;
    if (index >= 0) group?.splice(index, 1);
  }
}
