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
    readonly operators?: 'own-organisation' | 'members' | readonly string[] | undefined;
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
  const names = Array.from({ length: ordererCount(topology) }, (_, index) => `orderer${index}`);
  const mspIds = operatorsOf(topology);
  if (mspIds === 'own-organisation') return [{ ...ordererOrganisation, orderers: names }];
  return topology.organisations
    .map(({ mspId, domain }) => {
      const place = mspIds.indexOf(mspId);
      return { mspId, domain, orderers: names.filter((_, turn) => turn % mspIds.length === place) };
    })
    .filter(({ orderers }) => orderers.length > 0);
}

/** The ordering as it is, said in full: more organisations change nothing about orderers that run. */
export function settledOrdering<Ordering extends Ordered['ordering']>(topology: {
  readonly ordering: Ordering;
  readonly organisations: Ordered['organisations'];
}): Ordering & { orderers: number; operators: 'own-organisation' | string[] } {
  const operators = operatorsOf(topology);
  return {
    ...topology.ordering,
    orderers: ordererCount(topology),
    operators: operators === 'own-organisation' ? operators : [...operators],
  };
}

function operatorsOf({ ordering, organisations }: Ordered): 'own-organisation' | readonly string[] {
  const said = ordering.operators ?? (ordering.type === 'bft' ? 'members' : 'own-organisation');
  return said === 'members' ? organisations.map(({ mspId }) => mspId) : said;
}

/** Host names of all orderers. */
export function ordererHostNames(topology: Ordered): string[] {
  return orderingOrganisations(topology).flatMap(({ domain, orderers }) => orderers.map((name) => `${name}.${domain}`));
}
