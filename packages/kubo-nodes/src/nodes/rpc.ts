import { readFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';

const callTimeoutMs = 10_000;
const maxAnswerSizeBytes = 4 * 1024 * 1024;

/** Calls of kubo's RPC API that concern the daemon itself and its swarm. */
export class KuboRpc {
  readonly #apiUrl: string;
  readonly #secretFile: string;

  /** @param apiUrl without `/api/v0` */
  constructor(apiUrl: string, secretFile: string) {
    this.#apiUrl = apiUrl;
    this.#secretFile = secretFile;
  }

  async peerId(): Promise<string> {
    return String((await this.#call('id'))['ID']);
  }

  async version(): Promise<string> {
    return String((await this.#call('version'))['Version']);
  }

  /** Peer ids of the members there is a connection to. */
  async connected(): Promise<string[]> {
    const { Peers } = (await this.#call('swarm/peers')) as { readonly Peers?: readonly { readonly Peer: string }[] };
    return [...new Set((Peers ?? []).map(({ Peer }) => Peer))];
  }

  /** Peer ids of the members connections are kept with. */
  async peered(): Promise<string[]> {
    const { Peers } = (await this.#call('swarm/peering/ls')) as { readonly Peers?: readonly { readonly ID: string }[] };
    return (Peers ?? []).map(({ ID }) => ID);
  }

  /** @param address with the peer id at its end */
  async addPeering(address: string): Promise<void> {
    await this.#call('swarm/peering/add', address);
  }

  async removePeering(peerId: string): Promise<void> {
    await this.#call('swarm/peering/rm', peerId);
  }

  /** @param address with the peer id at its end */
  async connect(address: string): Promise<void> {
    await this.#call('swarm/connect', address);
  }

  async disconnect(peerId: string): Promise<void> {
    await this.#call('swarm/disconnect', `/p2p/${peerId}`);
  }

  async #call(command: string, argument?: string): Promise<Readonly<Record<string, unknown>>> {
    const query = argument === undefined ? '' : `?arg=${encodeURIComponent(argument)}`;
    const authorization = `Bearer ${(await readFile(this.#secretFile, 'utf8')).trim()}`;
    let text: string;
    let ok: boolean;
    try {
      const response = await fetch(`${this.#apiUrl}/api/v0/${command}${query}`, {
        method: 'POST',
        headers: { authorization },
        redirect: 'error',
        signal: AbortSignal.timeout(callTimeoutMs),
      });
      ok = response.ok;
      text = await bounded(response);
    } catch (cause) {
      throw new WaymarkError('unavailable', `kubo does not answer ${command}`, { details: { command }, cause });
    }
    if (!ok) {
      throw new WaymarkError('unavailable', `kubo refused ${command}`, {
        details: { command },
        cause: new Error(text.slice(0, 500)),
      });
    }
    return (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>;
  }
}

async function bounded(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.length;
    if (sizeBytes > maxAnswerSizeBytes) throw new Error('the answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
