'use strict';
/** `put key value`, `get key`, and `version`, which tells who serves. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a CommonJS contract, as most are
const { Shim } = require('fabric-shim');

const contract = {
  Init: () => Promise.resolve(Shim.success()),
  async Invoke(stub) {
    const [name, key, value] = stub.getBufferArgs().map((argument) => Buffer.from(argument));
    if (name.toString() === 'version') return Shim.success(Buffer.from(process.env.VERSION));
    if (name.toString() === 'get') return Shim.success(Buffer.from(await stub.getState(key.toString())));
    await stub.putState(key.toString(), value);
    return Shim.success();
  },
};

const server = Shim.server(contract, {
  ccid: process.env.CHAINCODE_ID,
  address: process.env.CHAINCODE_SERVER_ADDRESS,
});
void server.start();
