export { type AuditParts, createAudit, notAudited } from './audit.ts';
export { codeForm, type Rule, type RuleContext, ruleSet } from './rule.ts';
export {
  type ContentFinding,
  type EnvelopeFacts,
  type EnvelopeFinding,
  type RecordFacts,
  type Standing,
} from './facts/facts.ts';
export { gatherFacts, type GatherOptions, type GatherPorts, type RecordPlace } from './facts/gather.ts';
export { type FactSources } from './facts/record-facts.ts';
export { createFactStore, type FactStore, type Finding, type SubmissionFindings } from './facts/store.ts';
export { type RegisteredDepartment, standingByRegister } from './facts/standing.ts';
export { type StructuralSettings, structuralRules } from './structural/structural.ts';
export {
  type ContentDescription,
  type FieldDescription,
  type FieldPlace,
  type FieldValue,
} from './content/description.ts';
export { contentRule } from './content/content-rule.ts';
export { contentOfKind, contentRules, type EnterpriseKind } from './content/kinds.ts';
export { reasonTexts } from './reason-texts.ts';
