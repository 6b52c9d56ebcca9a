import { decodeFields, encodeCbor } from '@waymark/protocol';
import type { ConfigurationProof } from '../snapshot/snapshot.ts';
import { maxLedgerMessageBytes } from './anchor.ts';
import { configurationFrom, configurationValue, maxProofSeals, sealsFrom, sealValue } from './values.ts';

const type = 'ledger-configuration';

/** A configuration of one ledger with its proof by the members before it. */
export interface LedgerConfiguration extends ConfigurationProof {
  readonly ledger: string;
}

/** The bytes of a configuration with its proof (docs/formats.md, "Configuration epoch"). */
export function encodeConfiguration({ ledger, configuration, seals }: LedgerConfiguration): Uint8Array {
  return encodeCbor({
    v: 1,
    type,
    ledger,
    configuration: configurationValue(configuration),
    seals: seals.map(sealValue),
  });
}

/** @throws WaymarkError input-invalid, configuration-invalid, limit-exceeded */
export function decodeConfiguration(bytes: Uint8Array): LedgerConfiguration {
  const fields = decodeFields(bytes, 'configuration', maxLedgerMessageBytes);
  fields.constant('v', 1);
  fields.constant('type', type);
  const proof: LedgerConfiguration = {
    ledger: fields.text('ledger', 512),
    configuration: configurationFrom(fields.any('configuration')),
    seals: sealsFrom(fields.list('seals', maxProofSeals)),
  };
  fields.end();
  return proof;
}
