import { Context, Contract } from 'fabric-contract-api';
import { Refusal, refuseInput } from './errors.ts';
import { readCaller, type Caller } from './identity/caller.ts';
import { canonicalJson } from './json/canonical.ts';
import { Ledger } from './state/ledger.ts';

/** Most bytes that all arguments of one call may have together. */
export const maximumArgumentBytes = 256 * 1024;
/** Most bytes of an event. */
export const maximumEventBytes = 16 * 1024;

/** A method of the shim's stub that its types leave out. */
interface RawArguments {
  getBufferArgs(): readonly Uint8Array[];
}

/** What one transaction works with; made anew for each, so that nothing is remembered between them. */
export class TransactionContext extends Context {
  #ledger: Ledger | undefined;
  #caller: Caller | undefined;

  get ledger(): Ledger {
    return (this.#ledger ??= new Ledger(this.stub));
  }

  get caller(): Caller {
    return (this.#caller ??= readCaller(this.stub.getCreator()));
  }

  /** Emits the transaction's one event. Throws `limit-exceeded` when it is too large. */
  emit(name: string, payload: object): void {
    const bytes = Buffer.from(canonicalJson(payload), 'utf8');
    if (bytes.length > maximumEventBytes)
      throw new Refusal('limit-exceeded', { limit: maximumEventBytes, what: 'event' });
    this.stub.setEvent(name, bytes);
  }
}

/** What all contracts of this chaincode share: limits on arguments, typed refusals, canonical answers. */
export abstract class WaymarkContract extends Contract {
  override createContext(): TransactionContext {
    return new TransactionContext();
  }

  /** Refuses arguments that are too large or not UTF-8 (the framework would replace bad bytes silently). */
  override beforeTransaction(ctx: Context): Promise<void> {
    let bytes = 0;
    for (const [index, argument] of (ctx.stub as unknown as RawArguments).getBufferArgs().entries()) {
      bytes += argument.length;
      if (bytes > maximumArgumentBytes)
        throw new Refusal('limit-exceeded', { limit: maximumArgumentBytes, what: 'arguments' });
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(argument);
      } catch {
        refuseInput(`argument ${index}`, 'is not UTF-8');
      }
    }
    return Promise.resolve();
  }

  override unknownTransaction(_ctx: Context): Promise<void> {
    return Promise.reject(new Refusal('unsupported', { contract: this.getName(), reason: 'no such function' }));
  }
}

/** The answer of a function: JSON with sorted keys. */
export function answer(value: object): string {
  return canonicalJson(value);
}
