import { common } from '@hyperledger/fabric-protos';

/** What of a group has to be read and written to change it. */
interface GroupUpdate {
  readonly readSet: common.ConfigGroup;
  readonly writeSet: common.ConfigGroup;
  readonly isChanged: boolean;
}

/**
 * The smallest update that leads from one configuration to the other, whatever versions the second one carries (Fabric:
 * internal/configtxlator/update/update.go). Undefined when they are the same.
 */
export function computeUpdate(
  channelId: string,
  original: common.ConfigGroup,
  updated: common.ConfigGroup,
): common.ConfigUpdate | undefined {
  const { readSet, writeSet, isChanged } = computeGroup(original, updated);
  if (!isChanged) return undefined;
  const update = new common.ConfigUpdate();
  update.setChannelId(channelId);
  update.setReadSet(readSet);
  update.setWriteSet(writeSet);
  return update;
}

function computeGroup(original: common.ConfigGroup, updated: common.ConfigGroup): GroupUpdate {
  const values = computeMembers(original.getValuesMap(), updated.getValuesMap(), computeValue);
  const policies = computeMembers(original.getPoliciesMap(), updated.getPoliciesMap(), computePolicy);
  const groups = computeMembers(original.getGroupsMap(), updated.getGroupsMap(), computeInnerGroup);
  const all = [values, policies, groups];
  const readSet = new common.ConfigGroup();
  const writeSet = new common.ConfigGroup();
  readSet.setVersion(original.getVersion());
  writeSet.setVersion(original.getVersion());
  const isOther = all.some(({ othersNow }) => othersNow) || original.getModPolicy() !== updated.getModPolicy();
  if (isOther) {
    writeSet.setVersion(original.getVersion() + 1);
    writeSet.setModPolicy(updated.getModPolicy());
  }
  fill(values, isOther, readSet.getValuesMap(), writeSet.getValuesMap());
  fill(policies, isOther, readSet.getPoliciesMap(), writeSet.getPoliciesMap());
  fill(groups, isOther, readSet.getGroupsMap(), writeSet.getGroupsMap());
  return { readSet, writeSet, isChanged: isOther || all.some(({ changed }) => changed.size > 0) };
}

/** The members that stay as they are only matter to a group that gains or loses some: it has to name them all. */
function fill<T>(members: Members<T>, withSame: boolean, readSet: Entries<T>, writeSet: Entries<T>): void {
  for (const [name, { read, write }] of members.changed) {
    if (read !== undefined) readSet.set(name, read);
    writeSet.set(name, write);
  }
  if (!withSame) return;
  for (const [name, same] of members.same) {
    readSet.set(name, same);
    writeSet.set(name, same);
  }
}

interface Entries<T> {
  get(name: string): T | undefined;
  set(name: string, value: T): unknown;
  has(name: string): boolean;
  forEach(visit: (value: T, name: string) => void): void;
}

interface Members<T> {
  readonly changed: ReadonlyMap<string, { readonly read: T | undefined; readonly write: T }>;
  readonly same: ReadonlyMap<string, T>;
  /** Members have come or gone. */
  readonly othersNow: boolean;
}

/** `compute` makes the update of one member; without an original one, of a new member. */
type Compute<T> = (
  original: T | undefined,
  updated: T,
) => { readonly read: T | undefined; readonly write: T } | { readonly same: T };

function computeMembers<T>(original: Entries<T>, updated: Entries<T>, compute: Compute<T>): Members<T> {
  const changed = new Map<string, { read: T | undefined; write: T }>();
  const same = new Map<string, T>();
  let othersNow = false;
  original.forEach((_member, name) => {
    if (!updated.has(name)) othersNow = true;
  });
  updated.forEach((member, name) => {
    const before = original.get(name);
    if (before === undefined) othersNow = true;
    const computed = compute(before, member);
    if ('same' in computed) same.set(name, computed.same);
    else changed.set(name, computed);
  });
  return { changed, same, othersNow };
}

const computeValue: Compute<common.ConfigValue> = (original, updated) => {
  const isSame =
    original?.getModPolicy() === updated.getModPolicy() && original.getValue_asB64() === updated.getValue_asB64();
  const version = new common.ConfigValue();
  version.setVersion(original?.getVersion() ?? 0);
  if (isSame) return { same: version };
  const write = updated.clone();
  write.setVersion(original === undefined ? 0 : original.getVersion() + 1);
  return { read: undefined, write };
};

const computePolicy: Compute<common.ConfigPolicy> = (original, updated) => {
  const bytesOf = (policy: common.ConfigPolicy) => Buffer.from(policy.getPolicy()?.serializeBinary() ?? []);
  const isSame = original?.getModPolicy() === updated.getModPolicy() && bytesOf(original).equals(bytesOf(updated));
  const version = new common.ConfigPolicy();
  version.setVersion(original?.getVersion() ?? 0);
  if (isSame) return { same: version };
  const write = updated.clone();
  write.setVersion(original === undefined ? 0 : original.getVersion() + 1);
  return { read: undefined, write };
};

const computeInnerGroup: Compute<common.ConfigGroup> = (original, updated) => {
  const { readSet, writeSet, isChanged } = computeGroup(original ?? new common.ConfigGroup(), updated);
  if (original !== undefined) return isChanged ? { read: readSet, write: writeSet } : { same: readSet };
  writeSet.setVersion(0);
  writeSet.setModPolicy(updated.getModPolicy());
  return { read: undefined, write: writeSet };
};
