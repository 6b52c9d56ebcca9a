import { createHash } from 'node:crypto';
import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import { blockDataHash, blockHeaderHash } from '../src/block/block-hash.ts';

/** What a test wants a transaction to be. */
export interface TransactionSpec {
  readonly txId: string;
  readonly chaincode?: string;
  readonly writes?: readonly {
    readonly namespace?: string;
    readonly key: string;
    readonly value?: string;
    readonly isDelete?: boolean;
  }[];
  readonly event?: { readonly name: string; readonly payload: string };
  readonly validationCode?: number;
  readonly type?: number;
  readonly timestampMs?: number;
  readonly creatorMsp?: string;
}

/** An envelope as a client and its endorsers would make it, less the signatures. */
export function buildEnvelope(spec: TransactionSpec): Uint8Array {
  const payload = new common.Payload();
  payload.setHeader(buildHeader(spec));
  payload.setData(buildTransaction(spec).serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope.serializeBinary();
}

/** A committed block; envelopes may be given as bytes to put anything into it. */
export function buildBlock(
  number: bigint,
  previousHash: Uint8Array,
  transactions: readonly (TransactionSpec | { readonly bytes: Uint8Array; readonly validationCode: number })[],
): common.Block {
  const envelopes = transactions.map((spec) => ('bytes' in spec ? spec.bytes : buildEnvelope(spec)));
  const header = new common.BlockHeader();
  header.setNumber(Number(number));
  header.setPreviousHash(previousHash);
  header.setDataHash(blockDataHash(envelopes));
  const data = new common.BlockData();
  data.setDataList(envelopes);
  const metadata = new common.BlockMetadata();
  const codes = Uint8Array.from(transactions, ({ validationCode = 0 }) => validationCode);
  metadata.setMetadataList([new Uint8Array(), new Uint8Array(), codes, new Uint8Array(), new Uint8Array()]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(data);
  block.setMetadata(metadata);
  return block;
}

/** The hash the next block links to. */
export function hashOf(block: common.Block): Uint8Array {
  const header = block.getHeader();
  if (header === undefined) throw new Error('no header');
  return blockHeaderHash(BigInt(header.getNumber()), header.getPreviousHash_asU8(), header.getDataHash_asU8());
}

function buildHeader({ txId, type, timestampMs = 0, creatorMsp = 'Org1MSP' }: TransactionSpec): common.Header {
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(type ?? common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTxId(txId);
  channelHeader.setChannelId('waymark');
  const stamp = common.ChannelHeader.deserializeBinary(timestampBytes(timestampMs)).getTimestamp();
  channelHeader.setTimestamp(stamp);
  const identity = new msp.SerializedIdentity();
  identity.setMspid(creatorMsp);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(identity.serializeBinary());
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  return header;
}

/** ChannelHeader with field 3 (timestamp) alone: field 1 seconds, field 2 nanos, both varints. */
function timestampBytes(timestampMs: number): Uint8Array {
  const inner = [0x08, ...varint(Math.floor(timestampMs / 1_000)), 0x10, ...varint((timestampMs % 1_000) * 1_000_000)];
  return Uint8Array.from([0x1a, inner.length, ...inner]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return bytes;
}

function buildTransaction({ chaincode = 'waymark', writes = [], event, txId }: TransactionSpec): peer.Transaction {
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(chaincode);
  const action = new peer.ChaincodeAction();
  action.setChaincodeId(chaincodeId);
  action.setResults(buildReadWriteSet(writes, chaincode).serializeBinary());
  const response = new peer.Response();
  response.setStatus(200);
  response.setPayload(Buffer.from(`result of ${txId}`));
  action.setResponse(response);
  if (event !== undefined) {
    const chaincodeEvent = new peer.ChaincodeEvent();
    chaincodeEvent.setChaincodeId(chaincode);
    chaincodeEvent.setTxId(txId);
    chaincodeEvent.setEventName(event.name);
    chaincodeEvent.setPayload(Buffer.from(event.payload));
    action.setEvents(chaincodeEvent.serializeBinary());
  }
  const responsePayload = new peer.ProposalResponsePayload();
  responsePayload.setProposalHash(createHash('sha256').update(txId).digest());
  responsePayload.setExtension$(action.serializeBinary());
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(responsePayload.serializeBinary());
  const actionPayload = new peer.ChaincodeActionPayload();
  actionPayload.setAction(endorsed);
  const transactionAction = new peer.TransactionAction();
  transactionAction.setPayload(actionPayload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([transactionAction]);
  return transaction;
}

function buildReadWriteSet(
  writes: NonNullable<TransactionSpec['writes']>,
  chaincode: string,
): ledger.rwset.TxReadWriteSet {
  const namespaces = [...new Set(writes.map(({ namespace = chaincode }) => namespace))];
  const set = new ledger.rwset.TxReadWriteSet();
  set.setNsRwsetList(
    namespaces.map((namespace) => {
      const keyValues = new ledger.rwset.kvrwset.KVRWSet();
      keyValues.setWritesList(
        writes
          .filter((write) => (write.namespace ?? chaincode) === namespace)
          .map(({ key, value = '', isDelete = false }) => {
            const write = new ledger.rwset.kvrwset.KVWrite();
            write.setKey(key);
            write.setValue(Buffer.from(value));
            write.setIsDelete(isDelete);
            return write;
          }),
      );
      const namespaceSet = new ledger.rwset.NsReadWriteSet();
      namespaceSet.setNamespace(namespace);
      namespaceSet.setRwset(keyValues.serializeBinary());
      return namespaceSet;
    }),
  );
  return set;
}
