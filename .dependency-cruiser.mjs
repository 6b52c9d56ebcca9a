/** Keeps dependencies pointing one way (ARCHITECTURE.md, "Packages"). */
const onlyFrom = (name, to, allowed) => ({
  name,
  severity: 'error',
  from: { pathNot: [...allowed, '/test/', '^scenario/', '^scripts/'] },
  to: { path: to },
});
const mayImport = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${from}/src/` },
  to: {
    path: '^(packages|services|network|chaincode|scripts|scenario)/',
    pathNot: [`^${from}/`, ...allowed.map((a) => `^${a}/`)],
  },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { pathNot: 'generated' } } },
    {
      name: 'no-test-imports',
      severity: 'error',
      // The acceptance suite has a command of its own.
      from: { pathNot: '/test/|^scenario/|^packages/testing/|^scripts/scenario' },
      to: { path: '/test/|^scenario/' },
    },
    mayImport('protocol-is-the-root', 'packages/protocol', []),
    mayImport('vault', 'packages/vault', ['packages/protocol']),
    mayImport('durable-files', 'packages/durable-files', ['packages/protocol']),
    mayImport('content', 'packages/content', ['packages/(protocol|durable-files)']),
    mayImport('fabric', 'packages/fabric', ['packages/protocol']),
    mayImport('ledger-fabric-network', 'packages/ledger-fabric-network', ['packages/(protocol|fabric)']),
    onlyFrom('ledger-fabric-network-is-optional', '^packages/ledger-fabric-network/', [
      '^packages/ledger-fabric-network/',
      '^services/enterprise/src/ledger.ts$',
    ]),
    mayImport('capture', 'packages/capture', ['packages/protocol']),
    mayImport('rsl', 'packages/rsl', ['packages/protocol']),
    mayImport('audit', 'packages/audit', ['packages/(protocol|rsl)']),
    mayImport('ledger-log', 'packages/ledger-log', ['packages/(protocol|durable-files|rsl)']),
    mayImport('ledger-chain', 'packages/ledger-chain', ['packages/(protocol|durable-files|content|rsl)']),
    {
      name: 'record-proofs-are-checked-anywhere',
      severity: 'error',
      from: { path: '^packages/ledger-chain/src/proof/(index|verify-|record-proof)' },
      to: {
        path: '^(node:)?(fs|sqlite)|^packages/(content|durable-files)/|^packages/ledger-chain/src/(store|backup|verify|body)/',
      },
    },
    mayImport('ledger-member', 'packages/ledger-member', ['packages/(protocol|rsl|ledger-log|transport)']),
    mayImport('private-ledger', 'packages/private-ledger', [
      'packages/(protocol|vault|rsl|content|audit|ledger-log|ledger-chain|ledger-member|service-kit|transport)',
    ]),
    mayImport('ledger-operations', 'packages/ledger-operations', [
      'packages/(protocol|vault|fabric|rsl|audit|ledger-chain|ledger-member|private-ledger|query-api|service-kit)',
    ]),
    mayImport('devnet-stands-alone', 'packages/devnet', []),
    mayImport('fabric-nodes', 'packages/fabric-nodes', ['packages/(protocol|devnet)']),
    mayImport('kubo-nodes', 'packages/kubo-nodes', ['packages/protocol']),
    mayImport('transport', 'packages/transport', ['packages/protocol']),
    mayImport('reading', 'packages/reading', [
      'packages/(protocol|vault|content|fabric|rsl)',
      'packages/ledger-chain/src/proof',
    ]),
    mayImport('query-api', 'packages/query-api', ['packages/(protocol|content|service-kit)']),
    mayImport('service-kit', 'packages/service-kit', [
      'packages/(protocol|vault|content|durable-files|fabric|rsl|transport)',
    ]),
    mayImport('sdk', 'packages/sdk', [
      'packages/(protocol|vault|content|fabric|capture|transport|reading|enrolment|ledger-operations)',
    ]),
    mayImport('enrolment', 'packages/enrolment', ['packages/(protocol|vault)', 'packages/devnet/src/ca']),
    mayImport('services', 'services/[^/]+', [
      'packages/(protocol|vault|content|fabric|ledger-fabric-network|transport|service-kit|reading|query-api|rsl|ledger-log|ledger-chain|ledger-member|audit|private-ledger|ledger-operations)',
      'services/[^/]+',
    ]),
    {
      name: 'services-apart',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    mayImport('chaincode-stands-alone', 'chaincode', ['packages/protocol']),
    onlyFrom('devnet-is-for-networks-and-tests', '^packages/devnet/', [
      '^packages/devnet/',
      '^packages/fabric-nodes/',
      '^packages/enrolment/src/files/',
      '^network/',
      '^packages/testing/',
    ]),
    onlyFrom('rsl-simulator-does-not-ship', '^packages/rsl/sim/', ['^packages/rsl/sim/']),
    onlyFrom('testing-does-not-ship', '^packages/testing/', ['^packages/testing/']),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules/(?!@waymark)' },
    exclude: { path: '/lib/|/generated/|chaincode/package' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
