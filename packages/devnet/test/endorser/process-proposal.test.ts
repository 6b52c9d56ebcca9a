import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { buildSignedProposal, processProposal } from '../harness/proposals.ts';

const HOUR_MS = 60 * 60 * 1000;

describe('protos.Endorser/ProcessProposal', () => {
  let network: TestNetwork;
  let client: peer.EndorserClient;
  let user: SigningIdentity;

  beforeAll(async () => {
    network = await startTestNetwork();
    const { gateway, user: issued } = network.devnet.organisation('Org1MSP');
    user = createSigningIdentity(issued);
    client = new peer.EndorserClient(gateway.address, credentials.createSsl(Buffer.from(gateway.tlsRootCertPem)));
  });
  afterAll(async () => {
    client.close();
    await network.stop();
  });

  const propose = (proposal: peer.SignedProposal) => processProposal(client, proposal);
  const request = { channelId: CHANNEL, chaincode: CHAINCODE, args: ['raw', 'k', 'v'] };

  test('the endorsement signs the payload and the endorser; chaincode, version and read-write set are in it', async () => {
    const response = await propose(buildSignedProposal(user, request));
    expect(response.getVersion()).toBe(1);
    expect(response.getResponse()?.getStatus()).toBe(200);
    const endorsement = response.getEndorsement();
    const signer = network.devnet.organisation('Org1MSP');
    expect(Buffer.from(endorsement?.getEndorser_asU8() ?? []).toString()).toContain('Org1MSP');
    expect(signer.gateway.hostName).toBe('peer0.org1.example.com');
    const payload = peer.ProposalResponsePayload.deserializeBinary(response.getPayload_asU8());
    const action = peer.ChaincodeAction.deserializeBinary(payload.getExtension_asU8());
    expect(action.getChaincodeId()?.toObject()).toEqual({ name: CHAINCODE, version: '1.0', path: '' });
    expect(action.getEvents_asU8()).toHaveLength(0);
    const interest = response.getInterest()?.getChaincodesList() ?? [];
    expect(interest.map((call) => [call.getName(), call.getDisregardNamespacePolicy()])).toEqual([[CHAINCODE, false]]);
  });

  test('every transaction reads the sequence of the definition', async () => {
    const response = await propose(buildSignedProposal(user, request));
    const payload = peer.ProposalResponsePayload.deserializeBinary(response.getPayload_asU8());
    const results = peer.ChaincodeAction.deserializeBinary(payload.getExtension_asU8()).getResults_asU8();
    expect(Buffer.from(results).toString('latin1')).toContain(`namespaces/fields/${CHAINCODE}/Sequence`);
  });

  test('a chaincode that fails answers with response and payload, without endorsement', async () => {
    const response = await propose(buildSignedProposal(user, { ...request, args: ['readAsset', 'nope'] }));
    expect(response.getResponse()?.toObject()).toMatchObject({ status: 500, message: 'asset nope does not exist' });
    expect(response.getPayload_asU8().length).toBeGreaterThan(0);
    expect(response.hasEndorsement()).toBe(false);
  });

  const refusals: readonly (readonly [string, () => peer.SignedProposal, string | RegExp])[] = [
    [
      'a transaction id that is not the hash of nonce and creator',
      () => buildSignedProposal(user, { ...request, txId: 'ff' }),
      /^error validating proposal: incorrectly computed txid 'ff' -- expected '[0-9a-f]{64}'$/,
    ],
    [
      'a clock an hour behind',
      () => buildSignedProposal(user, { ...request, timeMs: Date.now() - HOUR_MS }),
      /^request unauthorized due to incorrect timestamp .*Z, peer time .*Z, peer\.authentication\.timewindow 15m0s$/,
    ],
    [
      'a clock an hour ahead',
      () => buildSignedProposal(user, { ...request, timeMs: Date.now() + HOUR_MS }),
      /^request unauthorized due to incorrect timestamp/,
    ],
    [
      'an altered proposal',
      () => {
        const proposal = buildSignedProposal(user, request);
        const other = buildSignedProposal(user, request);
        proposal.setProposalBytes(other.getProposalBytes_asU8());
        return proposal;
      },
      'error validating proposal: access denied: channel [mychannel] creator org [Org1MSP]',
    ],
    [
      'no signature',
      () => {
        const proposal = buildSignedProposal(user, request);
        proposal.setSignature('');
        return proposal;
      },
      'error validating proposal: empty signature bytes',
    ],
    [
      'no nonce',
      () => buildSignedProposal(user, { ...request, nonce: new Uint8Array() }),
      'error validating proposal: nonce is empty',
    ],
    [
      'another type of header',
      () => buildSignedProposal(user, { ...request, type: common.HeaderType.MESSAGE }),
      'error validating proposal: invalid header type MESSAGE',
    ],
    ['no chaincode', () => buildSignedProposal(user, { ...request, chaincode: '' }), /ChaincodeId.Name is empty$/],
  ];
  test.each(refusals)('%s is refused as UNKNOWN with the text of Fabric', async (_name, build, text) => {
    const error = await propose(build()).catch((reason: unknown) => reason as ServiceError);
    expect(error).toMatchObject({ code: status.UNKNOWN });
    expect((error as ServiceError).details).toMatch(text);
  });

  test('bytes that are no proposal are refused, and the peer serves on', async () => {
    const proposal = new peer.SignedProposal();
    proposal.setProposalBytes(Buffer.from('ffffffffff', 'hex'));
    await expect(propose(proposal)).rejects.toMatchObject({ code: status.UNKNOWN });
    await expect(propose(buildSignedProposal(user, request))).resolves.toBeDefined();
  });

  test('an expired certificate is refused', async () => {
    const notBefore = new Date(Date.now() - 2 * HOUR_MS);
    const notAfter = new Date(Date.now() - HOUR_MS);
    const expired = await network.devnet
      .organisation('Org1MSP')
      .enrol({ enrolmentId: 'past', role: 'client', notBefore, notAfter });
    await expect(propose(buildSignedProposal(createSigningIdentity(expired), request))).rejects.toMatchObject({
      details: 'proposal client identity expired',
    });
  });

  test('a right certificate of the wrong role may not propose', async () => {
    const peerIdentity = await network.devnet.organisation('Org1MSP').enrol({ enrolmentId: 'p9', role: 'peer' });
    await expect(propose(buildSignedProposal(createSigningIdentity(peerIdentity), request))).rejects.toMatchObject({
      details: expect.stringContaining(
        'Failed evaluating policy on signed data during check policy on channel [mychannel] with policy [/Channel/Application/Writers]',
      ) as string,
    });
  });

  test('an organisation that is not of the channel may not propose', async () => {
    const ca = await createOrganisationCa({ mspId: 'OtherMSP', domain: 'other.example.com' });
    const stranger = createSigningIdentity(await ca.issue({ enrolmentId: 'x', role: 'client' }));
    await expect(propose(buildSignedProposal(stranger, request))).rejects.toMatchObject({
      details:
        'error validating proposal: access denied: channel [mychannel] creator org unknown, creator is malformed',
    });
  });

  test('a proposal whose transaction is committed is refused', async () => {
    const contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const proposal = contract.newProposal('raw', { arguments: ['once', 'x'] });
    const submitted = await (await proposal.endorse()).submit();
    await submitted.getStatus();
    await expect(proposal.evaluate()).rejects.toMatchObject({
      details: [
        { message: expect.stringContaining(`duplicate transaction found [${proposal.getTransactionId()}]`) as string },
      ],
    });
  });

  test('an unknown channel or chaincode is a response of status 500', async () => {
    const elsewhere = await propose(buildSignedProposal(user, { ...request, channelId: 'elsewhere' }));
    expect(elsewhere.getResponse()?.toObject()).toMatchObject({
      status: 500,
      message: "channel 'elsewhere' not found",
    });
    const nothing = await propose(buildSignedProposal(user, { ...request, chaincode: 'nothing' }));
    expect(nothing.getResponse()?.getMessage()).toBe(
      'make sure the chaincode nothing has been successfully defined on channel mychannel and try again: chaincode nothing not found',
    );
    const initialised = await propose(buildSignedProposal(user, { ...request, isInit: true }));
    expect(initialised.getResponse()?.getMessage()).toContain('does not require initialization but called as init');
  });

  test('endorsers of all peers of both organisations make the same payload', async () => {
    const proposal = buildSignedProposal(user, { ...request, args: ['createMany', 'same', '60', 'Ann'] });
    const payloads = await Promise.all(
      network.devnet.organisations
        .flatMap(({ peers }) => peers)
        .map(async ({ address, tlsRootCertPem }) => {
          const other = new peer.EndorserClient(address, credentials.createSsl(Buffer.from(tlsRootCertPem)));
          try {
            return (await processProposal(other, proposal)).getPayload_asB64();
          } finally {
            other.close();
          }
        }),
    );
    expect(payloads).toHaveLength(4);
    expect(new Set(payloads).size).toBe(1);
  });
});
