/** Finds the records of an order, each proven against the channel: `node examples/trace.ts .waymark/profile.yaml`. */
import { connect } from '@waymark/sdk';

const waymark = connect(process.argv[2] ?? '.waymark/profile.yaml');
const answer = await waymark.trace({ type: 'order', value: '4711' });
for (const { content, evidenceId } of answer.records) console.log(content.eventId, content.payload, evidenceId);
console.log(`trust: ${answer.trust}, attested by ${answer.attestedBy.join(', ')}`);
await waymark.close();
