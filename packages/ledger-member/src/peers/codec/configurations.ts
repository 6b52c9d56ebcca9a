import type { Configuration, ConfigurationProof, DepartmentCursor, Snapshot } from '@waymark/rsl';
import type * as wire from '@waymark/transport/ledger';
import { codecLimits, digestBytes, digestFrom, list, name, present, text, whole } from './checks.ts';
import { sealFromWire, sealToWire } from './seals.ts';

/** Whether a configuration is possible is for the core to judge. */
export function configurationToWire({
  epoch,
  members,
  learners,
  eligible,
  profile,
}: Configuration): wire.LedgerMembers {
  return {
    epoch: whole(epoch, 'configuration epoch'),
    members: [...members],
    learners: [...learners],
    eligible: [...eligible],
    colluding: profile.center === 'lying' ? whole(profile.colluding, 'configuration profile') : undefined,
  };
}

export function configurationFromWire(configuration: wire.LedgerMembers): Configuration {
  const names = (values: readonly string[]): string[] =>
    list(values, codecLimits.maxMembers, 'configuration members', (value) => name(value, 'configuration member'));
  const { epoch, members, learners, eligible, colluding } = configuration;
  return {
    epoch,
    members: names(members),
    learners: names(learners),
    eligible: names(eligible),
    profile: colluding === undefined ? { center: 'trusted' } : { center: 'lying', colluding },
  };
}

export function snapshotToWire(snapshot: Snapshot): wire.Snapshot {
  return {
    height: whole(snapshot.height, 'snapshot height'),
    salt: snapshot.salt,
    cursors: snapshot.cursors.map(({ department, seq, hash }) => ({
      department,
      seq: whole(seq, 'cursor seq'),
      hash: digestBytes(hash, 'cursor hash'),
    })),
    configuration: configurationToWire(snapshot.configuration),
    configurations: snapshot.configurations.map(({ configuration, seals }) => ({
      configuration: configurationToWire(configuration),
      seals: seals.map(sealToWire),
    })),
    seals: snapshot.seals.map(sealToWire),
  };
}

export function snapshotFromWire(snapshot: wire.Snapshot): Snapshot {
  const { maxCursors, maxConfigurations, maxSeals } = codecLimits;
  return {
    height: snapshot.height,
    salt: text(snapshot.salt, 'snapshot salt'),
    cursors: list(snapshot.cursors, maxCursors, 'snapshot cursors', cursorFromWire),
    configuration: configurationFromWire(present(snapshot.configuration, 'snapshot configuration')),
    configurations: list(snapshot.configurations, maxConfigurations, 'snapshot configurations', proofFromWire),
    seals: list(snapshot.seals, maxSeals, 'snapshot seals', sealFromWire),
  };
}

function cursorFromWire({ department, seq, hash }: wire.DepartmentCursor): DepartmentCursor {
  return { department: name(department, 'cursor department'), seq, hash: digestFrom(hash, 'cursor hash') };
}

function proofFromWire({ configuration, seals }: wire.ConfigurationProof): ConfigurationProof {
  return {
    configuration: configurationFromWire(present(configuration, 'configuration')),
    seals: list(seals, codecLimits.maxSeals, 'configuration seals', sealFromWire),
  };
}
