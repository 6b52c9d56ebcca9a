import { connectGateway, privateKeySigner } from '@waymark/fabric';
import { type BodyCipher, type ChainChecks, createBodyCipher, createCheckingCrypto } from '@waymark/ledger-chain';
import { signedBatches } from '@waymark/ledger-member';
import { loadFirstConfiguration, openLedgerMembers } from '@waymark/private-ledger';
import { ledgerName } from '@waymark/protocol';
import { createLogger, readSecretFile, readTextFile } from '@waymark/service-kit';
import { certificateVerifier, openKeyStore, readPassphrase } from '@waymark/vault';
import { type ChannelAnchor, channelAnchors } from '../channel-anchors.ts';
import type { MemberConfiguration } from './configuration.ts';

/** What a check of a chain needs, from a member's own files. Nothing is signed. */
export interface OfflineMember {
  readonly ledger: string;
  readonly bodyCipher: BodyCipher;
  readonly checks: Omit<ChainChecks, 'anchors'>;
  /** What the channel holds, through the gateway of the configuration. @throws WaymarkError unavailable */
  anchors(): Promise<readonly ChannelAnchor[]>;
}

/** Reads keys and trust. @throws WaymarkError configuration-invalid, key-invalid, decryption-failed */
export async function openOfflineMember(config: MemberConfiguration): Promise<OfflineMember> {
  const { mspId, channel, chaincode, identity, msp, privateLedger } = config;
  const ledger = ledgerName(mspId, channel);
  const keyStore = await openKeyStore({
    file: config.keyStore.file,
    passphrase: readPassphrase({ file: config.keyStore.passphraseFile }),
  });
  const verifier = certificateVerifier({
    rootsPem: msp.rootFiles.map(readTextFile),
    intermediatesPem: msp.intermediateFiles.map(readTextFile),
  });
  const members = openLedgerMembers(privateLedger.membersFile, createLogger({ service: 'ledger', level: 'error' }));
  const bodyCipher = createBodyCipher({ indexRoot: keyStore.indexRoot.export(), ledger });
  const crypto = createCheckingCrypto({
    channel,
    bodyId: (candidate) => bodyCipher.bodyId(candidate),
    submissions: signedBatches({
      channel,
      holderOf: (der, atMs) => verifier.verify(der, { atMs, roles: ['client', 'peer'] }).enrolmentId,
    }),
    publicKeyOf: (member, digest) => members.publicKeyOf(member, digest),
  });
  return {
    ledger,
    bodyCipher,
    checks: { configuration: loadFirstConfiguration(privateLedger.configurationFile), crypto },
    async anchors() {
      const gateway = connectGateway({
        endpoint: config.ledger.endpoint,
        tlsRootPem: readTextFile(config.ledger.tlsRootFile),
        ...(config.ledger.tlsServerName === undefined ? {} : { tlsServerName: config.ledger.tlsServerName }),
        identity: {
          mspId,
          certificatePem: readTextFile(identity.certificateFile),
          sign: privateKeySigner(readSecretFile(identity.privateKeyFile)),
        },
        channel,
        chaincode,
      });
      try {
        return await channelAnchors(gateway, mspId);
      } finally {
        gateway.close();
      }
    },
  };
}
