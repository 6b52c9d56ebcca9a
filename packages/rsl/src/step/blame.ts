import { type CenterStatement, contradict, type Equivocation, verifyEquivocation } from '../evidence.ts';
import { type Node, peersOf, persist, send } from './node.ts';
import { becomeFollower } from './role.ts';

/** Two statements of one center for one place: proves the lie, if it is one. Answers whether it is. */
export function compareStatements(node: Node, first: CenterStatement, second: CenterStatement): boolean {
  if (!contradict(first, second)) return false;
  const center = first.kind === 'candidate' ? first.candidate.center : first.seal.center;
  return accuse(node, { center, first, second });
}

/**
 * Takes a proof of a lie: it is kept, told to everybody, and the liar is neither followed nor elected any more (rsl.md, "Strong leadership").
 * Answers whether it is one.
 */
export function accuse(node: Node, evidence: Equivocation): boolean {
  const { center } = evidence;
  if (node.liars.has(center)) return true;
  if (!verifyEquivocation(node.crypto, evidence)) return false;
  node.liars.set(center, evidence);
  persist(node, { type: 'evidence', evidence });
  node.out.alerts.push({ type: 'equivocation', evidence });
  tellEvidence(node, evidence);
  if (node.faults.ignoreEvidence === true) return true;
  if (center === node.id) {
    if (node.role !== 'follower') becomeFollower(node, node.term);
  } else if (node.following?.center === center) {
    node.following = null;
    if (node.role === 'follower') becomeFollower(node, node.term);
  }
  return true;
}

/** Shows everybody the proofs again: who has not seen them may still follow the liar, and this member follows nobody. */
export function tellLiars(node: Node): void {
  for (const evidence of node.liars.values()) tellEvidence(node, evidence);
}

function tellEvidence(node: Node, evidence: Equivocation): void {
  for (const to of peersOf(node)) send(node, { type: 'evidence', from: node.id, to, term: node.term, evidence });
}
