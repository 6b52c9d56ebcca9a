import { FEWEST_BFT_ORDERERS, type OrderingType } from '@waymark/fabric-nodes';

/** Where orderers belong that no member runs. */
export const ordererOrganisation = { mspId: 'OrdererMSP', domain: 'orderer.example' } as const;

/** An organisation with the orderers it runs. */
export interface OrderingOrganisation {
  readonly mspId: string;
  readonly domain: string;
  /** First labels of their host names. */
  readonly orderers: readonly string[];
}

/** What a topology says of ordering. */
interface Ordered {
  readonly ordering: {
    readonly type: OrderingType;
    readonly orderers?: number | undefined;
    readonly operators?: 'own-organisation' | 'members' | undefined;
  };
  readonly organisations: readonly { readonly mspId: string; readonly domain: string }[];
}

/** S2: floor(organisations / 3) + 1, or what the topology says; BFT needs four to tolerate one that lies. */
export function ordererCount({ ordering, organisations }: Ordered): number {
  const byOrganisations = Math.floor(organisations.length / 3) + 1;
  return (
    ordering.orderers ?? (ordering.type === 'bft' ? Math.max(byOrganisations, FEWEST_BFT_ORDERERS) : byOrganisations)
  );
}

/** Why a topology cannot be ordered as it says; undefined when it can. */
export function orderingProblem(topology: Ordered): string | undefined {
  const count = ordererCount(topology);
  if (topology.ordering.type !== 'bft' || count >= FEWEST_BFT_ORDERERS) return undefined;
  return `BFT tolerates f lying orderers with 3f + 1: ${count} tolerate none, ${FEWEST_BFT_ORDERERS} tolerate 1`;
}

/** Who runs which orderers. Members take them in turn: one owner of all of them would tolerate nothing Byzantine. */
export function orderingOrganisations(topology: Ordered): OrderingOrganisation[] {
  const { ordering, organisations } = topology;
  const names = Array.from({ length: ordererCount(topology) }, (_, index) => `orderer${index}`);
  const operators = ordering.operators ?? (ordering.type === 'bft' ? 'members' : 'own-organisation');
  if (operators === 'own-organisation') return [{ ...ordererOrganisation, orderers: names }];
  return organisations
    .map(({ mspId, domain }, index) => ({
      mspId,
      domain,
      orderers: names.filter((_, turn) => turn % organisations.length === index),
    }))
    .filter(({ orderers }) => orderers.length > 0);
}

/** Host names of all orderers. */
export function ordererHostNames(topology: Ordered): string[] {
  return orderingOrganisations(topology).flatMap(({ domain, orderers }) => orderers.map((name) => `${name}.${domain}`));
}
