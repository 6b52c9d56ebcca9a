/** Health check of the chaincode's container: 0 when its server takes connections. */
import { connect } from 'node:net';

const port = Number((process.env.CHAINCODE_SERVER_ADDRESS ?? '').split(':').at(-1));
const socket = connect({ host: '127.0.0.1', port, timeout: 4_000 });
socket.once('connect', () => process.exit(0));
socket.once('error', () => process.exit(1));
socket.once('timeout', () => process.exit(1));
