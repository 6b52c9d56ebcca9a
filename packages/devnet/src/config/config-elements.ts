import type { common } from '@hyperledger/fabric-protos';

/** One element of a configuration tree. `path` are the names of the groups that it is in, from `Channel` on. */
export type ConfigElement = { readonly key: string; readonly path: readonly string[] } & (
  | { readonly kind: 'Group'; readonly message: common.ConfigGroup }
  | { readonly kind: 'Value'; readonly message: common.ConfigValue }
  | { readonly kind: 'Policy'; readonly message: common.ConfigPolicy }
);

/** Elements by the name that Fabric gives them, such as `[Value]  /Channel/Orderer/BatchSize`. */
export type ConfigElements = ReadonlyMap<string, ConfigElement>;

const ROOT = 'Channel';
const PREFIXES = { Group: '[Group]  ', Value: '[Value]  ', Policy: '[Policy] ' } as const;
const MAX_NAME_LENGTH = 249;
const ALLOWED_NAME = /^[a-zA-Z0-9.-]+$/;

/** A tree as a map (Fabric: common/configtx/configmap.go). Throws a plain Error with Fabric's text for names that may not be. */
export function elementsOf(root: common.ConfigGroup | undefined): ConfigElements {
  const elements = new Map<string, ConfigElement>();
  if (root !== undefined) addGroup(elements, [], ROOT, root);
  return elements;
}

/** The tree again: groups say which members they have, the map says what these are. Throws a plain Error with Fabric's text. */
export function treeOf(elements: ConfigElements): common.ConfigGroup {
  return groupAt(`/${ROOT}`, elements);
}

function addGroup(
  elements: Map<string, ConfigElement>,
  path: readonly string[],
  key: string,
  group: common.ConfigGroup,
): void {
  add(elements, { kind: 'Group', key, path, message: group });
  const inner = [...path, key];
  group.getGroupsMap().forEach((message, name) => addGroup(elements, inner, name, message));
  group.getValuesMap().forEach((message, name) => add(elements, { kind: 'Value', key: name, path: inner, message }));
  group.getPoliciesMap().forEach((message, name) => add(elements, { kind: 'Policy', key: name, path: inner, message }));
}

function add(elements: Map<string, ConfigElement>, element: ConfigElement): void {
  const prefix = PREFIXES[element.kind];
  const wrong = whatIsWrongWith(element.key);
  if (wrong !== undefined) throw new Error(`illegal characters in key: ${prefix}: ${wrong}`);
  elements.set(`${prefix}/${[...element.path, element.key].join('/')}`, element);
}

/** What Fabric has against a name in a configuration; undefined for a right one. */
export function whatIsWrongWith(name: string): string | undefined {
  if (name.length === 0) return 'config ID illegal, cannot be empty';
  if (name.length > MAX_NAME_LENGTH) return `config ID illegal, cannot be longer than ${MAX_NAME_LENGTH}`;
  if (name === '.' || name === '..') return `name '${name}' for config ID is not allowed`;
  return ALLOWED_NAME.test(name) ? undefined : `config ID '${name}' contains illegal characters`;
}

function groupAt(path: string, elements: ConfigElements): common.ConfigGroup {
  const stored = elements.get(`${PREFIXES.Group}${path}`);
  if (stored?.kind !== 'Group') throw new Error(`missing group at path: ${PREFIXES.Group}${path}`);
  const group = stored.message.clone();
  for (const name of [...group.getGroupsMap().keys()]) {
    group.getGroupsMap().set(name, groupAt(`${path}/${name}`, elements));
  }
  for (const name of [...group.getValuesMap().keys()]) {
    const value = elements.get(`${PREFIXES.Value}${path}/${name}`);
    if (value?.kind !== 'Value') throw new Error(`missing value at path: ${PREFIXES.Value}${path}/${name}`);
    group.getValuesMap().set(name, value.message.clone());
  }
  for (const name of [...group.getPoliciesMap().keys()]) {
    const policy = elements.get(`${PREFIXES.Policy}${path}/${name}`);
    if (policy?.kind !== 'Policy') throw new Error(`missing policy at path: ${PREFIXES.Policy}${path}/${name}`);
    group.getPoliciesMap().set(name, policy.message.clone());
  }
  return group;
}
