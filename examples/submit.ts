/** Submits one record and waits until it is anchored: `node examples/submit.ts .waymark/profile.yaml`. */
import { connect } from '@waymark/sdk';

const waymark = connect(process.argv[2] ?? '.waymark/profile.yaml');
const receipt = await waymark.submitOne({
  eventId: 'urn:uuid:4a1a9a3e-6f0f-4a0b-9c38-0d6f3a0b7c11',
  consignment: 'order-4711',
  schema: 'example/handover/v1',
  collectionTime: '2026-05-04T09:30:00.000Z',
  businessIds: [{ type: 'order', value: '4711' }],
  payload: { from: 'harbour depot', to: 'truck 12', pallets: 6 },
});
console.log(receipt.state, receipt.evidenceId, receipt.repeated ? '(was there already)' : '');
await waymark.close();
