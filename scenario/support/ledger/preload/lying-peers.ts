/**
 * What a lying center says to one department, its victim (`?folder=PATH&victim=ID`). Files in the folder give the word: from `lie` on, the next candidate with records
 * is another one there, signed as well; the victim hears of that one only, and its answers go unheard. From `show` on it hears what all others hear.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peers, PeersOptions } from '@waymark/ledger-member';
import {
  type AppendMessage,
  candidateStatement,
  contentRoot,
  createCoseKeys,
  createCrypto,
  type Message,
} from '@waymark/rsl';
import { signingIdentityFromPem } from '@waymark/vault';

const { searchParams } = new URL(import.meta.url);
const folder = searchParams.get('folder') ?? '';
const victim = searchParams.get('victim') ?? '';
const isTime = (what: 'lie' | 'show'): boolean => existsSync(join(folder, what));

/** Peers whose owner lies; everything else is as it was. */
export function lying(options: PeersOptions, honest: (options: PeersOptions) => Peers): Peers {
  const crypto = cryptoOf(options);
  let told: AppendMessage | undefined;
  const isHiding = (): boolean => told !== undefined && !isTime('show');

  /** The first candidate of records that is open becomes an empty one. */
  function twisted(message: AppendMessage): AppendMessage | undefined {
    const open = message.entries.find(({ seal }) => seal === null)?.candidate;
    if (open?.content.kind !== 'records' || open.center !== options.member) return undefined;
    const content = { kind: 'empty' } as const;
    const unsigned = { ...open, content, count: 0, root: contentRoot(crypto, content) };
    const candidate = { ...unsigned, signature: crypto.sign(candidateStatement(unsigned)) };
    writeFileSync(join(folder, 'told'), JSON.stringify({ height: open.height, term: open.term }));
    return {
      ...message,
      entries: message.entries.map((entry) => (entry.seal === null ? { candidate, seal: null } : entry)),
    };
  }

  const peers = honest({
    ...options,
    onMessage: (message) => (message.from === victim && isHiding() ? undefined : options.onMessage(message)),
  });
  const send = (message: Message): void => {
    if (message.to !== victim || message.type !== 'append' || isTime('show') || !isTime('lie')) peers.send(message);
    else if (told === undefined) {
      told = twisted(message);
      peers.send(told ?? message);
    } else peers.send({ ...told, election: message.election });
  };
  return { ...peers, send };
}

/** Whoever is center has what it takes to sign twice. */
function cryptoOf({ ledger, identity }: PeersOptions) {
  const [mspId = '', channel = ''] = ledger.split('/');
  const { certificateChainPem: certificatePem, privateKeyPem } = identity;
  return createCrypto({
    bodyId: () => '',
    submissions: { submissionDigest: () => null, verifySubmission: () => false },
    ...createCoseKeys({
      channel,
      signer: signingIdentityFromPem({ mspId, certificatePem, privateKeyPem }),
      publicKeyOf: () => null,
    }),
  });
}
