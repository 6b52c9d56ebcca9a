import type { Block } from '@waymark/content';
import { WaymarkError } from '@waymark/protocol';
import type { BodyCipher } from '../body/body-cipher.ts';
import type { StoredBlock } from '../store/ledger-chain.ts';
import type { SealLine } from './backup-form.ts';

/** Puts seals and the blocks of a backup's CAR together again; in the CAR they stand in the order of the chain. */
export async function* blocksInOrder(
  seals: AsyncIterable<SealLine>,
  blocks: AsyncGenerator<Block>,
  bodyCipher: Pick<BodyCipher, 'partsOf'>,
): AsyncGenerator<StoredBlock> {
  const next = async (): Promise<Block> => {
    const result = await blocks.next();
    if (result.done === true) throw outOfOrder();
    return result.value;
  };
  try {
    for await (const { height, hash, seal, candidateSignature } of seals) {
      const header = await next();
      if (header.cid.toString() !== hash) throw outOfOrder();
      const root = await next();
      const parts: Block[] = [];
      for (const cid of bodyCipher.partsOf(root)) {
        const part = await next();
        if (!part.cid.equals(cid)) throw outOfOrder();
        parts.push(part);
      }
      yield {
        height,
        hash,
        seal: Buffer.from(seal, 'base64url'),
        candidateSignature,
        blocks: [header, root, ...parts],
      };
    }
    const { done } = await blocks.next();
    if (done !== true) throw outOfOrder();
  } finally {
    await blocks.return(undefined);
  }
}

function outOfOrder(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The backup is damaged.', { details: { reason: 'blocks' } });
}
