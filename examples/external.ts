/** Somebody outside asks through a client of the firm: `node examples/external.ts OUTLET-PROFILE CLIENT-PROFILE`. */
import { connect, createExternalRequest, generateAskerKeys, openExternalAnswer } from '@waymark/sdk';

const [outletProfile = '', clientProfile = ''] = process.argv.slice(2);
const asker = generateAskerKeys();

const outlet = connect(outletProfile);
await outlet.allow('order-4711', [asker.signing.kid]);
await outlet.close();

const client = connect(clientProfile);
const { channel, mspId } = client.profile;
const question = await createExternalRequest({ type: 'order', value: '4711' }, { channel, msp: mspId }, asker);
const sealed = await client.sendExternalRequest(question);
await client.close();

// Only the asker's key opens it. With a verifier of the firm's CA the asker knows whose outlet signed.
const { content } = await openExternalAnswer(sealed, { nonce: question.nonce, asker });
console.log(content.payload);
