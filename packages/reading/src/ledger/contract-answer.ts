import type { Ledger } from '@waymark/fabric';
import { isWaymarkError, parseJsonStrict, WaymarkError } from '@waymark/protocol';
import type { z } from 'zod';

/** Asks a reading function of the contract `anchors`; null when what is asked for is not on the channel. @throws WaymarkError chaincode-error, unavailable */
export async function askContract<T>(
  ledger: Pick<Ledger, 'evaluate'>,
  fn: string,
  args: readonly string[],
  schema: z.ZodType<T>,
): Promise<T | null> {
  let answer: Uint8Array;
  try {
    answer = await ledger.evaluate('anchors', fn, args);
  } catch (error) {
    if (isWaymarkError(error, 'refused')) return null;
    throw error;
  }
  const { success, data, error } = schema.safeParse(parseJsonStrict(answer));
  if (!success)
    throw new WaymarkError('chaincode-error', 'The chaincode gave an answer of another form.', { cause: error });
  return data;
}
