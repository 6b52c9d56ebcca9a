export { loadProfile } from './profile/load-profile.ts';
export { type Profile, type ProfileDocument, profileSchema } from './profile/schema.ts';
