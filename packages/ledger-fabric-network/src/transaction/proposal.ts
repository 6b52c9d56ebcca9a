import type { CallOptions, ContractArgument } from '@waymark/fabric';
import type { BuildProposalRequest } from 'fabric-common';

/** A call as the client library wants it. Its types know text only, its code takes bytes as they are. */
export function proposalRequest(
  contract: string,
  fn: string,
  args: readonly ContractArgument[],
  { transient }: CallOptions,
): BuildProposalRequest {
  return {
    fcn: contract === '' ? fn : `${contract}:${fn}`,
    args: args.map(bytesOf) as unknown as string[],
    generateTransactionId: false,
    ...(transient === undefined
      ? {}
      : {
          transientMap: Object.fromEntries(Object.entries(transient).map(([name, value]) => [name, bytesOf(value)])),
        }),
  };
}

function bytesOf(value: ContractArgument): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
}
