'use strict';
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a CommonJS contract, as most are
const { Contract } = require('fabric-contract-api');

const ownerIndex = 'owner~id';

/** Assets with an owner: the usual first contract, plus the odd calls that show how a network behaves. */
class AssetContract extends Contract {
  constructor() {
    super('assets');
  }

  /** Creates an asset and emits `AssetCreated`. */
  async createAsset(ctx, id, owner, value) {
    if (await exists(ctx, id)) throw new Error(`asset ${id} already exists`);
    const asset = { id, owner, value: Number(value) };
    await ctx.stub.putState(id, encode(asset));
    await ctx.stub.putState(ctx.stub.createCompositeKey(ownerIndex, [owner, id]), Buffer.from([0]));
    ctx.stub.setEvent('AssetCreated', encode(asset));
    return JSON.stringify(asset);
  }

  async readAsset(ctx, id) {
    return JSON.stringify(await read(ctx, id));
  }

  async updateAsset(ctx, id, value) {
    const asset = { ...(await read(ctx, id)), value: Number(value) };
    await ctx.stub.putState(id, encode(asset));
    ctx.stub.setEvent('AssetUpdated', encode(asset));
    return JSON.stringify(asset);
  }

  /** Gives an asset to another owner; the composite index follows. */
  async transferAsset(ctx, id, owner) {
    const asset = await read(ctx, id);
    await ctx.stub.deleteState(ctx.stub.createCompositeKey(ownerIndex, [asset.owner, id]));
    await ctx.stub.putState(ctx.stub.createCompositeKey(ownerIndex, [owner, id]), Buffer.from([0]));
    await ctx.stub.putState(id, encode({ ...asset, owner }));
    ctx.stub.setEvent('AssetTransferred', encode({ id, from: asset.owner, to: owner }));
    return JSON.stringify({ id, from: asset.owner, to: owner });
  }

  async deleteAsset(ctx, id) {
    const asset = await read(ctx, id);
    await ctx.stub.deleteState(id);
    await ctx.stub.deleteState(ctx.stub.createCompositeKey(ownerIndex, [asset.owner, id]));
    ctx.stub.setEvent('AssetDeleted', encode({ id }));
  }

  /** Assets with `start` ≤ id < `end`; empty bounds are open. */
  async listAssets(ctx, start, end) {
    const assets = [];
    for await (const { value } of ctx.stub.getStateByRange(start, end)) assets.push(decode(value));
    return JSON.stringify(assets);
  }

  /** One page of a range, and the bookmark of the next. */
  async listAssetsPaged(ctx, start, end, pageSize, bookmark) {
    const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(start, end, Number(pageSize), bookmark);
    const assets = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      assets.push(decode(next.value.value));
    await iterator.close();
    return JSON.stringify({ assets, bookmark: metadata.bookmark, count: metadata.fetchedRecordsCount });
  }

  /** Ids of an owner's assets, by the composite index. */
  async assetsOf(ctx, owner) {
    const ids = [];
    for await (const { key } of ctx.stub.getStateByPartialCompositeKey(ownerIndex, [owner])) {
      ids.push(ctx.stub.splitCompositeKey(key).attributes[1]);
    }
    return JSON.stringify(ids);
  }

  /** Every change of an asset, newest first. */
  async assetHistory(ctx, id) {
    const changes = [];
    for await (const { txId, isDelete, value } of ctx.stub.getHistoryForKey(id)) {
      changes.push({ txId, isDelete, asset: isDelete ? null : decode(value) });
    }
    return JSON.stringify(changes);
  }

  /** Creates `count` assets `<prefix>0000`, `<prefix>0001`, ... in one transaction. */
  async createMany(ctx, prefix, count, owner) {
    for (let index = 0; index < Number(count); index++) {
      const id = `${prefix}${String(index).padStart(4, '0')}`;
      await ctx.stub.putState(id, encode({ id, owner, value: index }));
    }
    return Number(count);
  }

  /** Stores bytes as they are, under a key. */
  async raw(ctx, key, _bytes) {
    const value = ctx.stub.getBufferArgs()[2] ?? Buffer.alloc(0);
    await ctx.stub.putState(key, value);
    return value.length;
  }

  /** The bytes under a key, as base64. */
  async readRaw(ctx, key) {
    return Buffer.from(await ctx.stub.getState(key)).toString('base64');
  }

  /** Writes, then reads: Fabric's reads do not see the transaction's own writes. */
  async writeThenRead(ctx, key, value) {
    await ctx.stub.putState(key, Buffer.from(value));
    return Buffer.from(await ctx.stub.getState(key)).toString();
  }

  /** A range read and a write in one transaction: a phantom conflict when the range changes meanwhile. */
  async countInto(ctx, start, end, key) {
    let count = 0;
    for await (const entry of ctx.stub.getStateByRange(start, end)) count += entry.key === key ? 0 : 1;
    await ctx.stub.putState(key, encode({ id: key, owner: 'count', value: count }));
    return count;
  }

  /** Emits an event and writes nothing. */
  async announce(ctx, name, payload) {
    ctx.stub.setEvent(name, Buffer.from(payload));
  }

  /** Always fails, after a write that must not be kept. */
  async fail(ctx, message) {
    await ctx.stub.putState('never', Buffer.from('kept'));
    throw new Error(message);
  }

  /** Answers differently on every endorser. */
  async random(ctx, key) {
    await ctx.stub.putState(key, Buffer.from(String(Math.random())));
  }

  /** Who calls, and in which transaction. */
  async whoAmI(ctx) {
    return JSON.stringify({
      mspId: ctx.clientIdentity.getMSPID(),
      id: ctx.clientIdentity.getID(),
      txId: ctx.stub.getTxID(),
      channel: ctx.stub.getChannelID(),
      timestamp: ctx.stub.getDateTimestamp().toISOString(),
    });
  }

  /** The names and sizes of the transient values it was given. */
  async transientSizes(ctx) {
    return JSON.stringify(
      Object.fromEntries([...ctx.stub.getTransient()].map(([name, value]) => [name, value.length])),
    );
  }
}

function encode(value) {
  return Buffer.from(JSON.stringify(value));
}

function decode(bytes) {
  return JSON.parse(Buffer.from(bytes).toString());
}

async function exists(ctx, id) {
  return (await ctx.stub.getState(id)).length > 0;
}

async function read(ctx, id) {
  const bytes = await ctx.stub.getState(id);
  if (bytes.length === 0) throw new Error(`asset ${id} does not exist`);
  return decode(bytes);
}

module.exports.contracts = [AssetContract];
