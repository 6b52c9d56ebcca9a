import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, isWaymarkError } from '@waymark/protocol';
import { connect, type RecordInput } from '@waymark/sdk';
import type { Layout } from './layout.ts';
import type { TopologyOrganisation } from './topology.ts';

const withinMs = 60_000;
const pollMs = 200;
const passing: ReadonlySet<ErrorCode> = new Set(['refused', 'role-not-permitted', 'unavailable']);

/**
 * Sends a record through an organisation's outlet and asks for it by trusted query: outlet, center, content store, channel and index have
 * all done their part when it comes back.
 *
 * @throws WaymarkError what the part said that did not
 */
export async function testOrganisation(layout: Layout, organisation: TopologyOrganisation): Promise<void> {
  const reader = connect(layout.node(organisation, 'reader').profile);
  try {
    const record: RecordInput = {
      eventId: `self-test-${organisation.mspId}-${Date.now()}`,
      consignment: 'self-test',
      schema: 'urn:waymark:self-test',
      collectionTime: new Date().toISOString(),
      payload: { organisation: organisation.mspId },
    };
    const deadlineMs = Date.now() + withinMs;
    for (;;) {
      try {
        // Sent again it is the same record.
        await reader.submitOne(record, { until: 'anchored' });
        await reader.trace({ eventId: record.eventId });
        return;
      } catch (error) {
        // Services read the register, and outlets their index, out of blocks: they may not have got there yet.
        if (!isWaymarkError(error) || !passing.has(error.code) || Date.now() > deadlineMs) throw error;
        await delay(pollMs);
      }
    }
  } finally {
    await reader.close();
  }
}
