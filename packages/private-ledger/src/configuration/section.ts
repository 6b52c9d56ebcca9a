import type { ConfigurationTypes } from '@waymark/service-kit';
import { z } from 'zod';

/** The section `privateLedger` of a service that is a member of its firm's private ledger; the member's id is the service's enrolment id. */
export const privateLedgerSection = (types: ConfigurationTypes) =>
  types.section({
    /** JSON: the first configuration of the ledger, the same at every member. Later ones are in the ledger itself. */
    configurationFile: types.path(),
    /** YAML: where the members are and what they sign with (`members-file.ts`). Read again when it changes. */
    membersFile: types.path(),
    /** Heartbeats come once a tick; who hears none for 10 to 20 of them stands for election. */
    tickMs: types.integer({ min: 10, max: 60_000 }).default(200),
    /** Of the log, before and beside its checkpoints. */
    maxLogBytes: types.integer({ min: 16_777_216, max: 68_719_476_736 }).default(536_870_912),
    /** What records are audited by (D4, D5): the same at every member, but for `envelopes`. */
    audit: types
      .section({
        /** Kinds of enterprise whose content rules hold. */
        kinds: z
          .array(z.enum(['producer', 'carrier', 'seller', 'regulator']))
          .max(4)
          .default([]),
        /** Ids of the schemas that records may have, or beginnings of ids with `*`; without it all. */
        schemas: z.array(types.name()).min(1).max(256).optional(),
        /** How far into the future a record may have been collected. */
        skewMs: types.integer({ min: 0, max: 86_400_000 }).default(300_000),
        /** How long ago at most. */
        maxAgeMs: types.integer({ min: 60_000, max: 3_153_600_000_000 }).optional(),
        /** Which envelopes this member looks at itself before it acknowledges a block (D6); each member may look at as many as it likes. */
        envelopes: types
          .section({
            /** Of each submission, drawn at random; 0: none. */
            records: types.integer({ min: 0, max: 64 }).default(1),
            /** Submissions in a second at most. */
            maxPerSecond: types.integer({ min: 1, max: 10_000 }).default(5),
            /** For a whole block; afterwards nothing is concluded. */
            timeoutMs: types.integer({ min: 10, max: 10_000 }).default(300),
          })
          .prefault({}),
      })
      .prefault({}),
    /** What the center puts on the channel. */
    anchor: types
      .section({
        /** From one anchor to the next, under load. */
        minIntervalMs: types.integer({ min: 0, max: 3_600_000 }).default(2_000),
        maxRangeBlocks: types.integer({ min: 1, max: 65_536 }).default(1_024),
      })
      .prefault({}),
  });

/** The section as it is read. */
export type PrivateLedgerConfiguration = z.infer<ReturnType<typeof privateLedgerSection>>;
